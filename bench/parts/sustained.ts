/** A steady stream of events to 1,000 subscribers: how many get through, and how late. */
import { setTimeout as sleep } from 'node:timers/promises'
import { figuresOf, openStreams, watch, type Figures, type Load, type Part } from './part'

const subscribers = 1_000
const batchMs = 20

export const sustained: Part = {
  name: 'sustained',
  title: 'Sustained fan-out to 1,000 subscribers',
  explained: `So many events a second are offered, each by a POST of its own, or in batches: those of ${batchMs} ms by one POST of NDJSON. At most 64 POSTs are under way; what can't be kept up with is left out. The latency is from just before the POST until a subscriber has the event, of all deliveries. “Missing” is what was published and did not arrive within 10 s of the end, or was refused.`,
  compared: ['deliveries/s', 'CPU, µs/delivery'],
  loads: ({ maxStreams }) =>
    maxStreams < subscribers
      ? []
      : [
          atRate(5),
          atRate(100),
          atRate(400),
          atRate(1_000),
          atRate(400, 'batches'),
          atRate(1_000, 'batches'),
        ],
}

function atRate(perSecond: number, by: 'single' | 'batches' = 'single'): Load {
  return {
    name: `${perSecond.toLocaleString('en')} events/s${by === 'batches' ? ', batches' : ''}`,
    canBe: ({ publishes }) => publishes !== false && (by === 'single' || publishes === by),
    async measure(bench): Promise<Figures> {
      const { generator, settings } = bench
      await openStreams(bench, subscribers)
      await generator.publishSteadily({ perSecond, ...(by === 'batches' && { everyMs: batchMs }) })
      await sleep(Math.min(settings.seconds / 2, 5) * 1_000)
      let before = await generator.counts(undefined)
      let after = before
      const window = await watch(bench, async () => {
        await generator.reset(undefined)
        before = await generator.counts(undefined)
        await sleep(settings.seconds * 1_000)
        after = await generator.counts(undefined)
      })
      const { missing } = await generator.settle({ subscribers })
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
    },
  }
}
