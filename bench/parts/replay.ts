/** Readers that ask for events published before they connected. */
import { figuresOf, topic, watch, type Bench, type Figures, type Load, type Part } from './part'

const events = 100_000
// At more than some 30,000 a second (26,000 on average was too much already) Nchan loses its place in replaying them.
const nchanPerSecond = 10_000

export const replay: Part = {
  name: 'replay',
  title: 'Replay of 100,000 events',
  explained:
    'From the connecting of the readers, all at once, until the last of them has everything. Only servers that keep events can: bare `node:http` keeps them in memory, as an array of frames.',
  compared: ['events/s, all readers'],
  loads: ({ seconds }) => [toReaders(1), toReaders(seconds < 5 ? 10 : 100)],
}

function toReaders(count: number): Load {
  return {
    name: count === 1 ? 'to one reader' : `to ${count} readers`,
    canBe: ({ replays }) => replays,
    async measure(bench): Promise<Figures> {
      const { server, generator } = bench
      const path = server.replayPath(topic)
      const filled = await fill(bench)
      if (filled < events) throw new Error(`Only ${filled} events could be published in a minute.`)
      let tookMs = NaN
      const window = await watch(bench, async () => {
        ;({ tookMs } = await generator.replay({ path, count, events }))
      })
      return {
        seconds: tookMs / 1_000,
        'events/s, all readers': (count * events * 1_000) / tookMs,
        'CPU, µs/delivery': (window.server.cpuMs * 1_000) / (count * events),
        ...figuresOf(window),
      }
    },
  }
}

async function fill({ about, generator }: Bench): Promise<number> {
  const rest = { forMs: 60_000, atMost: events }
  const { events: published } = await generator.publishAll(
    about.publishes === 'batches'
      ? { ...rest, perPost: 1_000, parallel: 1 }
      : { ...rest, perPost: 1, parallel: 1, perSecond: nchanPerSecond },
  )
  return published
}
