/** Publishing without readers: how many events a second, and how soon each POST is answered. */
import { figuresOf, watch, type Figures, type Load, type Part } from './part'

export const publish: Part = {
  name: 'publish',
  title: 'Publishing',
  explained:
    'Nobody reads. Each POST is answered before its connection sends the next. Ours has the events in SQLite by then; the others keep nothing, or in memory.',
  chart: {
    title: 'Events published a second',
    figure: 'events/s',
    loads: ['single POSTs'],
    isLowerBetter: false,
  },
  compared: ['events/s', 'p50, ms'],
  loads: () => [
    post('single POSTs, 1 at a time', 1, 1),
    post('single POSTs, 16 at a time', 1, 16),
    post('1,000 events by each POST, 4 at a time', 1_000, 4),
  ],
}

function post(name: string, perPost: number, parallel: number): Load {
  return {
    name,
    canBe: ({ publishes }) => publishes === 'batches' || (publishes === 'single' && perPost === 1),
    async measure(bench): Promise<Figures> {
      const { generator, settings } = bench
      const forMs = settings.seconds * 1_000
      await generator.publishAll({ forMs: Math.min(forMs / 2, 5_000), perPost, parallel })
      await generator.reset(undefined)
      let sent = { events: 0, tookMs: NaN, p50Ms: NaN, p99Ms: NaN }
      const window = await watch(bench, async () => {
        sent = await generator.publishAll({ forMs, perPost, parallel })
      })
      return {
        'events/s': (sent.events * 1_000) / sent.tookMs,
        'p50, ms': sent.p50Ms,
        'p99, ms': sent.p99Ms,
        'CPU, µs/event': (window.server.cpuMs * 1_000) / sent.events,
        ...figuresOf(window),
      }
    },
  }
}
