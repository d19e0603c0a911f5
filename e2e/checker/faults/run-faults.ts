/** Runs a random list of faults, one after another. */
import { sleep } from '../setting'
import { environmentFaults } from './environment-faults'
import type { Fault, FaultContext } from './fault'
import { loadFaults } from './load-faults'
import { createLogFaults } from './log-faults'
import { processFaults } from './process-faults'

/** All there are. */
export function allFaults(): Fault[] {
  return [...processFaults, ...loadFaults, ...environmentFaults, ...createLogFaults()]
}

/** Until `isOver`; counts each fault. */
export async function runFaults<Context extends Pick<FaultContext, 'random' | 'storage'>>(
  all: readonly Fault<Context>[],
  context: Context,
  counts: Map<string, number>,
  isOver: () => boolean,
  say: (line: string) => void,
): Promise<void> {
  const { random, storage } = context
  const possible = all.filter(({ isPossible }) => isPossible?.(storage) ?? true)
  while (!isOver()) {
    const fault = pickByWeight(possible, random())
    const startedAt = Date.now()
    await fault.run(context)
    counts.set(fault.name, (counts.get(fault.name) ?? 0) + 1)
    say(`${fault.name} (${Date.now() - startedAt} ms)`)
    const until = Date.now() + random.between(1_000, 5_000)
    while (!isOver() && Date.now() < until) await sleep(100)
  }
}

function pickByWeight<Context>(faults: readonly Fault<Context>[], chance: number): Fault<Context> {
  const total = faults.reduce((sum, { weight }) => sum + weight, 0)
  let left = chance * total
  const picked = faults.find(({ weight }) => (left -= weight) < 0) ?? faults[0]
  if (!picked) throw new Error('There is no fault to run.')
  return picked
}
