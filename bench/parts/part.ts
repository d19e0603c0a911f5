/** A part of the bench: the same work for every server, at several loads. */
import type { ChartOptions } from '../chart'
import type { Generator } from '../load/generator'
import type { Remote } from '../load/remote'
import type { BenchServer, RunningBenchServer } from '../servers/bench-server'
import type { Settings } from '../settings'
import { usageOf, type Usage } from '../usage'

/** The measured figures, by their names with units, in the order in which they are shown. */
export type Figures = Record<string, number>

export interface Part {
  name: string
  title: string
  /** What its figures mean, for the docs. */
  explained: string
  /** The figures that are compared: each server's ratio to ours is shown. */
  compared: string[]
  /** Its own servers, and those of another checkout. Default: those of bench/run.ts. */
  servers?: { own: BenchServer[]; other: (folder: string) => BenchServer[] }
  /** What the picture of the part shows. Default: no picture. */
  chart?: ChartOptions
  loads: (settings: Settings) => Load[]
}

export interface Load {
  name: string
  canBe: (server: BenchServer) => boolean
  /** Runs one load, on a server that has just started, with a load generator of its own. */
  measure: (bench: Bench) => Promise<Figures>
}

export interface Bench {
  about: BenchServer
  server: RunningBenchServer
  generator: Remote<Generator>
  settings: Settings
}

/** The topic that every load publishes to and reads. */
export const topic = 'bench'

const mebibyte = 1024 * 1024

export function inMebibytes(bytes: number): number {
  return bytes / mebibyte
}

/**
 * Opens so many streams, a hundred at a time.
 * @throws not all of them could be opened
 */
export async function openStreams({ server, generator }: Bench, count: number): Promise<void> {
  const path = server.path(topic)
  const { failed, fault } = await generator.open({ path, count, parallel: Math.min(count, 100) })
  if (failed > 0) throw new Error(`${failed} of ${count} streams could not be opened: ${fault}`)
}

export interface Watched {
  seconds: number
  /** The CPU that the server used in this time, and its memory at the end. */
  server: Usage
  /** The load generator's share of a core. Near 100 the generator is the limit, not the server. */
  loadPercent: number
  eventLoopP99Ms: number | undefined
}

/** Measures the server and the generator while `run` runs. */
export async function watch(
  { server, generator }: Bench,
  run: () => Promise<unknown>,
): Promise<Watched> {
  // The server resets these figures at each request.
  await server.eventLoopDelayMs()
  const loadBefore = await generator.cpuMs(undefined)
  const before = usageOf(server.pid)
  const startedAt = performance.now()
  await run()
  const ms = performance.now() - startedAt
  const after = usageOf(server.pid)
  const loadMs = (await generator.cpuMs(undefined)) - loadBefore
  return {
    seconds: ms / 1_000,
    server: { cpuMs: after.cpuMs - before.cpuMs, bytes: after.bytes },
    loadPercent: (loadMs / ms) * 100,
    eventLoopP99Ms: await server.eventLoopDelayMs(),
  }
}

/** The figures that every part under load ends with. */
export function figuresOf({ seconds, server, loadPercent, eventLoopP99Ms }: Watched): Figures {
  return {
    'server CPU, %': server.cpuMs / seconds / 10,
    'load CPU, %': loadPercent,
    'event loop p99, ms': eventLoopP99Ms ?? NaN,
    'memory, MiB': inMebibytes(server.bytes),
  }
}
