import { testEventLog } from './event-log.contract'
import { createMemoryLog } from './memory-log'

testEventLog('memory', async (retention) => ({ log: createMemoryLog(retention) }))
