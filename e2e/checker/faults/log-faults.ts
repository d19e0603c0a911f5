/** A log that is away, is an older copy of itself, or has lost its end. */
import { offsetOf } from '../record'
import { sleep } from '../setting'
import type { Fault, FaultContext } from './fault'

/** What a server may still be doing for a publisher that has gone. */
const settleMs = 2_500
/** Where the first event after a loss goes. */
const probeTopic = 'open.1'

export function createLogFaults(): Fault[] {
  /** The copies that can be put back, oldest first. */
  let copies: string[] = []
  let made = 0

  function copy({ storage, cluster }: FaultContext): void {
    const name = `copy-${++made}`
    const servers = storage.redis ? [] : [...cluster.ports.keys()]
    for (const index of servers) cluster.signal(index, 'SIGSTOP')
    storage.redis?.freeze()
    storage.copy(name)
    storage.redis?.thaw()
    for (const index of servers) cluster.signal(index, 'SIGCONT')
    copies.push(name)
  }

  return [
    { name: 'copy of the log', weight: 2, run: async (context) => copy(context) },
    {
      name: 'restored copy of the log',
      weight: 1.5,
      async run(context) {
        if (copies.length === 0) {
          copy(context)
          await sleep(3_000)
        }
        const name = context.random.pick(copies)
        // Later copies have what is about to be lost: put back, they would bring it to life again.
        copies = copies.slice(0, copies.indexOf(name) + 1)
        await loseEnd(context, () => context.storage.restore(name))
      },
    },
    {
      name: 'Redis killed',
      weight: 2,
      isPossible: ({ redis }) => redis !== undefined,
      async run({ random, storage: { redis } }) {
        await redis?.kill()
        await sleep(random.between(0, 3_000))
        await redis?.restart()
      },
    },
    {
      name: 'Redis stands still',
      weight: 1,
      isPossible: ({ redis }) => redis !== undefined,
      async run({ random, storage: { redis } }) {
        redis?.freeze()
        await sleep(random.between(500, 5_000))
        redis?.thaw()
      },
    },
    {
      name: 'Redis killed, and its end lost',
      weight: 1.5,
      isPossible: ({ redis }) => redis !== undefined,
      async run(context) {
        copies = []
        const bytes = Math.round(10 ** (1 + context.random() * 4))
        await loseEnd(context, () => context.storage.cutEnd(bytes))
      },
    },
  ]
}

/** Has the log lose its end while nobody publishes, and finds out what is gone before publishing goes on. */
async function loseEnd(context: FaultContext, lose: () => void): Promise<void> {
  const { random, cluster, storage, publishers, lives, audit } = context
  await publishers.pause()
  await sleep(settleMs)
  const startedAt = Date.now()
  // With Redis the servers may well outlive the loss.
  const serversLive = storage.redis !== undefined && random.isLucky(0.5)
  if (!serversLive) await cluster.killAll()
  await storage.redis?.kill()
  lose()
  await storage.redis?.restart()
  if (!serversLive) await cluster.startAll()
  // The log gives the first offset after those that it still knows.
  const { attempts } = await publishers.publishSurely(probeTopic)
  const offset = offsetOf(attempts.at(-1)?.id ?? '')
  await audit(offset)
  lives.push({ startedAt, resumedAt: Date.now(), base: offset - 1 })
  publishers.resume()
}
