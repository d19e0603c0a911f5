/** A steady stream of events to 1,000 subscribers: how many get through, and how late. */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  figuresOf,
  openStreams,
  watch,
  type Bench,
  type Figures,
  type Load,
  type Part,
} from './part'

const subscribers = 1_000
const batchMs = 20
const warmUpMs = 3_000
const p99LimitMs = 250

type By = 'single' | 'batches'

export const sustained: Part = {
  name: 'sustained',
  title: 'Sustained fan-out to 1,000 subscribers',
  explained: `So many events a second are offered, each by a POST of its own, or in batches: those of ${batchMs} ms by one POST of NDJSON. At most 64 POSTs are under way; what can't be kept up with is left out. Before that, a server is warmed up by 3 s of POSTs that nobody reads. The latency is from just before the POST until a subscriber has the event, of all deliveries. “The most” is the highest rate, to about a tenth, at which all that is offered gets through and the p99 stays below ${p99LimitMs} ms. “Missing” is what was published and did not arrive within 10 s of the end, or was refused.`,
  compared: ['deliveries/s', 'CPU, µs/delivery'],
  chart: {
    title: 'Deliveries a second to 1,000 subscribers',
    figure: 'deliveries/s',
    loads: ['the most', '1,000 events/s'],
    isLowerBetter: false,
  },
  loads: ({ maxStreams }) =>
    maxStreams < subscribers
      ? []
      : [
          atRate(5, 'single'),
          atRate(100, 'single'),
          atRate(400, 'single'),
          atRate(1_000, 'single'),
          atRate(400, 'batches'),
          atRate(1_000, 'batches'),
          theMost('single'),
          theMost('batches'),
        ],
}

function atRate(perSecond: number, by: By): Load {
  return load(`${perSecond.toLocaleString('en')} events/s`, by, (bench, warmUp) => {
    const { seconds } = bench.settings
    return publishAt(bench, {
      perSecond,
      by,
      warmUp,
      settleMs: Math.min(seconds / 2, 5) * 1_000,
      seconds,
    })
  })
}

/** Doubles the rate until the server can't keep up, then searches between the last two rates. */
function theMost(by: By): Load {
  return load(`the most, p99 < ${p99LimitMs} ms`, by, async (bench, warmUp) => {
    let most: Figures = {}
    let held = 5
    let tooMuch = Infinity
    for (let perSecond = 10; tooMuch / held > 1.1;) {
      const figures = await publishAt(bench, { perSecond, by, warmUp, settleMs: 1_500, seconds: 3 })
      const isHeld =
        (figures['p99, ms'] ?? Infinity) < p99LimitMs &&
        (figures['published/s'] ?? 0) > 0.95 * perSecond
      if (isHeld) {
        held = perSecond
        most = figures
      } else {
        tooMuch = perSecond
      }
      perSecond = tooMuch === Infinity ? held * 2 : Math.sqrt(held * tooMuch)
    }
    return most
  })
}

function load(
  name: string,
  by: By,
  measure: (bench: Bench, warmUp: number) => Promise<Figures>,
): Load {
  return {
    name: by === 'batches' ? `${name}, batches` : name,
    canBe: ({ publishes }) => publishes !== false && (by === 'single' || publishes === by),
    async measure(bench) {
      const { generator } = bench
      // The steady state is measured, and at 5 POSTs a second it would take an hour until the code is compiled.
      await generator.publishAll({ forMs: warmUpMs, perPost: 1, parallel: 4 })
      const { published } = await generator.counts(undefined)
      await openStreams(bench, subscribers)
      return await measure(bench, published)
    },
  }
}

async function publishAt(
  bench: Bench,
  {
    perSecond,
    by,
    warmUp,
    settleMs,
    seconds,
  }: { perSecond: number; by: By; warmUp: number; settleMs: number; seconds: number },
): Promise<Figures> {
  const { generator } = bench
  await generator.publishSteadily({ perSecond, ...(by === 'batches' && { everyMs: batchMs }) })
  await sleep(settleMs)
  let before = await generator.counts(undefined)
  let after = before
  const window = await watch(bench, async () => {
    await generator.reset(undefined)
    before = await generator.counts(undefined)
    await sleep(seconds * 1_000)
    after = await generator.counts(undefined)
  })
  const { missing } = await generator.settle({ subscribers, warmUp })
  const deliveries = after.deliveries - before.deliveries
  return {
    'deliveries/s': deliveries / window.seconds,
    'published/s': (after.published - before.published) / window.seconds,
    'p50, ms': after.p50Ms,
    'p99, ms': after.p99Ms,
    'CPU, µs/delivery': (window.server.cpuMs * 1_000) / deliveries,
    ...figuresOf(window),
    missing: missing + after.broken + after.failed,
  }
}
