/** Hears of appends to a log in Redis, made by any process, on a connection of its own: it waits inside Redis. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cursor } from '@/protocol/cursor'
import {
  openRedisConnection,
  type RedisAddress,
  type RedisConnection,
  type RedisConnectionOptions,
} from './redis-connection'
import { liveKey } from './script-prelude'

/** How long one wait lasts. After each the head is asked for: a wait never hears that the log was deleted, or started over. */
const blockMs = 2_000
/** How long Redis may be silent beyond that. */
const graceMs = 2_000
const retryMs = 500

/** Calls `onHead` with the head as it was found, at first and whenever it may have changed, until the function returned is called. */
export function watchRedis(
  { address, Redis }: { address: RedisAddress; Redis: RedisConnectionOptions['Redis'] },
  readHead: (connection: RedisConnection) => Promise<Cursor>,
  onHead: (head: Cursor) => void,
): () => void {
  const connection = openRedisConnection(address, { silenceMs: blockMs + graceMs, Redis })
  const ended = new AbortController()
  const { signal } = ended

  async function follow(): Promise<void> {
    while (!signal.aborted) {
      try {
        const head = await readHead(connection)
        if (signal.aborted) return
        onHead(head)
        await connection.run((redis) =>
          redis.xread('COUNT', 1, 'BLOCK', blockMs, 'STREAMS', liveKey, `${head.offset}-0`),
        )
      } catch {
        // The connection says why, once; those who read the log hear of it, too.
        await sleep(retryMs, undefined, { signal }).catch(() => {})
      }
    }
  }

  void follow()
  return () => {
    ended.abort()
    connection.close()
  }
}
