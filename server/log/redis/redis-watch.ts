/** Notices appends to a log in Redis by any process. Uses a separate connection, because a blocking XREAD occupies it. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cursor } from '@/protocol/cursor'
import {
  openRedisConnection,
  type RedisAddress,
  type RedisConnection,
  type RedisConnectionOptions,
} from './redis-connection'
import { liveKey } from './script-prelude'

/** How long one XREAD blocks. The head is read after each, because XREAD does not notice that the log was deleted or started over. */
const blockMs = 2_000
/** How long Redis may take to answer beyond that. */
const graceMs = 2_000
const retryMs = 500

/** Calls `onHead` with the current head, at the start and whenever it may have changed. Returns a function that stops this. */
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
        // Ignored here: readers get the error from their own calls. Try again.
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
