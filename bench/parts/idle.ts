/** Idle streams: how much memory each one takes. */
import { setTimeout as sleep } from 'node:timers/promises'
import { usageOf } from '../usage'
import { inMebibytes, openStreams, watch, type Figures, type Load, type Part } from './part'

// The first streams warm the process up, and are not counted.
const warmUp = 200
const settleMs = 3_000

export const idle: Part = {
  name: 'idle',
  title: 'Idle streams',
  explained: `The memory of the server beyond what it has with ${warmUp} streams open, for each stream more; ${settleMs / 1_000} s after the last was opened, without forcing a garbage collection.`,
  compared: ['memory, KiB/stream'],
  chart: { title: 'Memory of an idle stream', figure: 'memory, KiB/stream', isLowerBetter: true },
  loads: ({ maxStreams }) =>
    [1_000, 5_000, 10_000].filter((count) => count <= maxStreams).map(ofStreams),
}

function ofStreams(streams: number): Load {
  return {
    name: `${streams.toLocaleString('en')} streams`,
    canBe: ({ publishes }) => publishes !== false,
    async measure(bench): Promise<Figures> {
      const { server, generator, settings } = bench
      await openStreams(bench, warmUp)
      await sleep(settleMs)
      const before = usageOf(server.pid)
      await openStreams(bench, streams - warmUp)
      await sleep(settleMs)
      const after = usageOf(server.pid)
      const window = await watch(bench, () => sleep(settings.seconds * 1_000))
      const { broken } = await generator.counts(undefined)
      return {
        'memory, KiB/stream': (after.bytes - before.bytes) / 1_024 / (streams - warmUp),
        'memory, MiB': inMebibytes(after.bytes),
        'idle CPU, %': window.server.cpuMs / window.seconds / 10,
        'streams lost': broken,
      }
    },
  }
}
