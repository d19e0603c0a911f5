import { testEventLog } from '@/server/log/event-log.contract'
import { createMemoryLog } from './memory-log'

testEventLog('memory', async (retention) => ({ log: createMemoryLog(retention) }))
