/** Runs: answers of a model that are produced on the server, and read by one reader each, or by many. */
import { runServers, otherRuns } from '../servers/run-servers'
import { usageOf } from '../usage'
import { inMebibytes, figuresOf, watch, type Figures, type Load, type Part } from './part'

const tokens = 250
const everyMs = 20
const longTokens = 2_000

export const runs: Part = {
  name: 'runs',
  title: 'Runs: tokens to their readers',
  explained: `So many runs begin at once, and each makes ${1_000 / everyMs} tokens a second for ${(tokens * everyMs) / 1_000} s, whether anybody is ready for them or not. Ours makes them in \`sse.run\`; one request begins all runs, and then the readers come, through the front door. Of \`resumable-stream\` the first reader of a run makes it, and the others join when the first has its answer. \`plain\` writes each token to the one reader who asked for it, by \`res.write\`, and keeps nothing. “Done” is from the first request until the last reader has the last token; the latency is from the making of a token until a reader has it. “Once there” counts only the tokens that were made after the reader had its first one. “Missing” are the tokens that a reader never got. “Resuming” reads a run of ${longTokens.toLocaleString('en')} tokens that goes on, from its beginning, by 20 readers one after the other.`,
  compared: ['done after, s', 'CPU, µs/token'],
  servers: { own: runServers, other: otherRuns },
  chart: {
    title: 'Processor time for a token to its reader, µs',
    figure: 'CPU, µs/token',
    loads: ['1,000 runs', '100 runs'],
    isLowerBetter: true,
  },
  loads: () => [
    readersOf('1,000 runs, one reader each', 1_000, 1),
    readersOf('100 runs, 20 readers each', 100, 20),
    resuming,
  ],
}

function readersOf(name: string, count: number, readers: number): Load {
  return {
    name,
    canBe: ({ replays }) => replays || readers === 1,
    async measure(bench): Promise<Figures> {
      const { server, generator } = bench
      const path = server.path('')
      const asked = { tokens, everyMs, holdMs: 0, path }
      // So that no code runs for the first time.
      await generator.readRuns({ ...asked, name: 'early', runs: 50, readers, tokens: 100 })
      const redis = (): number =>
        server.redisPid === undefined ? NaN : usageOf(server.redisPid).cpuMs
      const redisBefore = redis()
      let read: Awaited<ReturnType<typeof generator.readRuns>> | undefined
      const window = await watch(bench, async () => {
        read = await generator.readRuns({ ...asked, name: 'run', runs: count, readers })
      })
      if (!read) throw new Error('Nothing was read.')
      const { tookMs, latency, live, firstToken } = read
      return {
        'done after, s': tookMs / 1_000,
        'tokens/s': (read.tokens * 1_000) / tookMs,
        'p50, ms': latency.p50Ms,
        'p99, ms': latency.p99Ms,
        'p99 once there, ms': live.p99Ms,
        'CPU, µs/token': (window.server.cpuMs * 1_000) / read.tokens,
        'Redis CPU, µs/token': ((redis() - redisBefore) * 1_000) / read.tokens,
        'first token p50, ms': firstToken.p50Ms,
        'first token p99, ms': firstToken.p99Ms,
        missing: read.missing,
        wrong: read.wrong,
        refused: read.refused,
        ...figuresOf(window),
      }
    },
  }
}

const resuming: Load = {
  name: `resuming ${longTokens.toLocaleString('en')} tokens`,
  canBe: ({ replays }) => replays,
  async measure({ server, generator }): Promise<Figures> {
    const { missing, p50Ms, p99Ms } = await generator.resumeRun({
      path: server.replayPath(''),
      name: 'long',
      runs: 1,
      tokens: longTokens,
      everyMs: 0,
      holdMs: 60_000,
      times: 20,
    })
    return {
      'p50, ms': p50Ms,
      'p99, ms': p99Ms,
      missing,
      'memory, MiB': inMebibytes(usageOf(server.pid).bytes),
    }
  },
}
