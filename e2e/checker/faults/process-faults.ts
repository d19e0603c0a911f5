/** Servers that end, or stand still. */
import { sleep } from '../setting'
import type { Fault, FaultContext } from './fault'

export const processFaults: Fault<Pick<FaultContext, 'random' | 'cluster'>>[] = [
  {
    name: 'kill -9 of a server',
    weight: 3,
    async run({ random, cluster }) {
      const index = pickServer({ random, cluster })
      await cluster.kill(index)
      await sleep(random.between(0, 3_000))
      await cluster.start(index)
    },
  },
  {
    name: 'SIGTERM of a server',
    weight: 2,
    async run({ random, cluster }) {
      const index = pickServer({ random, cluster })
      await cluster.terminate(index)
      await sleep(random.between(0, 1_000))
      await cluster.start(index)
    },
  },
  {
    name: 'rolling restart of all servers',
    weight: 1,
    async run({ cluster }) {
      for (const index of cluster.ports.keys()) {
        await cluster.terminate(index)
        await cluster.start(index)
      }
    },
  },
  {
    name: 'kill -9 of all servers',
    weight: 1,
    async run({ cluster }) {
      await cluster.killAll()
      await cluster.startAll()
    },
  },
  {
    name: 'SIGSTOP of a server',
    weight: 3,
    async run({ random, cluster }) {
      const index = pickServer({ random, cluster })
      cluster.signal(index, 'SIGSTOP')
      await sleep(random.between(500, 8_000))
      cluster.signal(index, 'SIGCONT')
    },
  },
]

function pickServer({ random, cluster }: Pick<FaultContext, 'random' | 'cluster'>): number {
  return random.between(0, cluster.ports.length - 1)
}
