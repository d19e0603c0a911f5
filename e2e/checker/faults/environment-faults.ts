/** A disk without room, and clocks that jump. */
import { limits, sleep } from '../setting'
import type { Fault } from './fault'

/** Servers look at their clock file ten times a second. */
const clockDelayMs = 500

export const environmentFaults: Fault[] = [
  {
    name: 'full disk',
    weight: 1,
    isPossible: ({ fill }) => fill !== undefined,
    async run({ random, storage }) {
      storage.fill?.()
      await sleep(random.between(1_000, 5_000))
      storage.empty()
    },
  },
  {
    name: 'clock ahead, and back',
    weight: 1,
    async run({ random, clockJumps, setClock }) {
      // Sometimes by so much that everything has aged.
      const offsetMs = random.pick([10_000, limits.maxAgeMs / 2, 3_600_000, 365 * 86_400_000])
      const jump = { from: Date.now(), to: Infinity }
      clockJumps.push(jump)
      setClock(offsetMs)
      await sleep(random.between(1_000, 4_000))
      setClock(0)
      await sleep(clockDelayMs)
      jump.to = Date.now()
    },
  },
  {
    name: 'clock behind, and back',
    weight: 1,
    async run({ random, setClock }) {
      setClock(-random.pick([10_000, 3_600_000]))
      await sleep(random.between(1_000, 4_000))
      setClock(0)
      await sleep(clockDelayMs)
    },
  },
]
