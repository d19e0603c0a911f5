/** New streams: what each costs, one after another and all at once. */
import { usageOf } from '../usage'
import { openStreams, topic, type Figures, type Load, type Part } from './part'

export const connecting: Part = {
  name: 'connecting',
  title: 'Connecting',
  explained:
    'From the connecting of a socket until its response begins. Beyond 511 at once the kernel lets some wait for a second or more: that is the backlog of every server here. One without a response after 30 s has failed.',
  compared: ['CPU, ms/stream', 'p50, ms'],
  chart: {
    title: 'Processor time to open a stream',
    figure: 'CPU, ms/stream',
    isLowerBetter: true,
  },
  loads: ({ maxStreams }) => [
    connect(500, 1),
    ...(maxStreams < 5_000 ? [] : [connect(5_000, 5_000)]),
  ],
}

function connect(streams: number, parallel: number): Load {
  return {
    name: `${streams.toLocaleString('en')} ${parallel === 1 ? 'one after another' : 'at once'}`,
    canBe: ({ publishes }) => publishes !== false,
    async measure(bench): Promise<Figures> {
      const { server, generator } = bench
      await openStreams(bench, 200)
      const before = usageOf(server.pid)
      const startedAt = performance.now()
      const took = await generator.open({ path: server.path(topic), count: streams, parallel })
      const seconds = (performance.now() - startedAt) / 1_000
      const after = usageOf(server.pid)
      return {
        'CPU, ms/stream': (after.cpuMs - before.cpuMs) / (streams - took.failed),
        'streams/s': (streams - took.failed) / seconds,
        'p50, ms': took.p50Ms,
        'p99, ms': took.p99Ms,
        'all open, ms': seconds * 1_000,
        failed: took.failed,
      }
    },
  }
}
