/** A disk without room, and clocks that jump. */
import { limits, sleep } from '../setting'
import type { Fault, FaultContext } from './fault'

/** Servers look at their clock file ten times a second. */
const clockDelayMs = 500
/** Clocks of servers that share a log may disagree by this much. */
const toleratedMs = 60_000

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
    async run(context) {
      const { random } = context
      // Sometimes by so much that everything has aged.
      const offsetMs = random.pick([10_000, limits.maxAgeMs / 2, 3_600_000, 365 * 86_400_000])
      await jump(context, offsetMs)
    },
  },
  {
    name: 'clock behind, and back',
    weight: 1,
    async run(context) {
      await jump(context, -context.random.pick([10_000, 3_600_000]))
    },
  },
]

async function jump(
  { random, clockJumps, setClock }: FaultContext,
  offsetMs: number,
): Promise<void> {
  const noted = { from: Date.now(), to: Infinity }
  // A little behind must change nothing. After an hour behind the log takes the time before for the wrong one, and all has aged.
  if (offsetMs > 0 || offsetMs < -toleratedMs) clockJumps.push(noted)
  setClock(offsetMs)
  await sleep(random.between(1_000, 4_000))
  setClock(0)
  await sleep(clockDelayMs)
  noted.to = Date.now()
}
