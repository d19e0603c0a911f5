/** One event at a time to many subscribers: how soon all have it, and what it costs. */
import { figuresOf, openStreams, watch, type Figures, type Load, type Part } from './part'

export const fanOut: Part = {
  name: 'fan-out',
  title: 'Fan-out of one event at a time',
  explained:
    'An event is published, and when every subscriber has it the server rests for as long as that took. “All have it” is from before its POST until the last one has it.',
  compared: ['all have it p50, ms', 'CPU, µs/delivery'],
  loads: ({ maxStreams }) =>
    [100, 1_000, 5_000].filter((count) => count <= maxStreams).map(toSubscribers),
}

function toSubscribers(subscribers: number): Load {
  return {
    name: `${subscribers.toLocaleString('en')} subscribers`,
    canBe: ({ publishes }) => publishes !== false,
    async measure(bench): Promise<Figures> {
      const { generator, settings } = bench
      await openStreams(bench, subscribers)
      const forMs = settings.seconds * 1_000
      await generator.publishOneByOne({ forMs: Math.min(forMs / 2, 5_000), subscribers })
      await generator.reset(undefined)
      let sent = { events: 0, p50Ms: NaN, p99Ms: NaN }
      const window = await watch(bench, async () => {
        sent = await generator.publishOneByOne({ forMs, subscribers })
      })
      const { p50Ms, p99Ms } = await generator.counts(undefined)
      return {
        'all have it p50, ms': sent.p50Ms,
        'all have it p99, ms': sent.p99Ms,
        'one has it p50, ms': p50Ms,
        'one has it p99, ms': p99Ms,
        'CPU, µs/delivery': (window.server.cpuMs * 1_000) / (sent.events * subscribers),
        ...figuresOf(window),
      }
    },
  }
}
