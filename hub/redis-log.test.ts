import { afterAll, beforeAll, describe } from 'vitest'
import { findRedis } from '@/e2e/support/find-redis'
import { startRedis, type RunningRedis } from '@/e2e/support/start-redis'
import { testEventLog } from './event-log.contract'
import { openRedisLog } from './redis-log'

describe.skipIf(!findRedis())('redis', () => {
  let redis: RunningRedis

  beforeAll(async () => {
    redis = await startRedis()
  })

  afterAll(async () => {
    await redis.stop()
  })

  testEventLog('redis', async (retention) => {
    await redis.command('FLUSHALL')
    const address = { host: '127.0.0.1', port: redis.port, tls: false, database: 0 }
    const options = { address, ...retention }
    const log = openRedisLog(options)
    return {
      log,
      reopen: async () => {
        await log.close()
        return openRedisLog(options)
      },
    }
  })
})
