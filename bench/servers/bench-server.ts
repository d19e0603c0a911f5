/** A server that is measured. All answer the same requests, so that all do the same work. */
export interface BenchServer {
  name: string
  /** Who it is, with its version. */
  title: string
  /** Whether it takes part without `--all`. */
  common: boolean
  /** Why it can't run here; undefined when it can. */
  missing?: () => string | undefined
  /** Makes it ready to start, once. */
  build?: () => void
  /** That it delivers what is published to `/events/{topic}`, and by lines of NDJSON too. */
  publishes: 'single' | 'batches' | false
  /** That a new reader can have what was published before. */
  replays: boolean
  /** That it has the tutorial's greetings at `/events`. */
  greets: boolean
  /** Where it says that it is alive; undefined when it does not. */
  healthPath?: string | undefined
  /** Starts it, with nothing published yet. */
  start: () => Promise<RunningBenchServer>
}

export interface RunningBenchServer {
  pid: number
  port: number
  /** Headers of a POST that publishes. */
  headers: Record<string, string>
  /** The Redis that it uses; undefined when it uses none. */
  redisPid?: number
  /** What a reader of the topic asks for. */
  path: (topic: string) => string
  /** What a reader of all that the topic has asks for. */
  replayPath: (topic: string) => string
  /** The 99th percentile of the event loop's delay since it was last asked; undefined where there is no such loop. */
  eventLoopDelayMs: () => Promise<number | undefined>
  stop: () => Promise<void>
}
