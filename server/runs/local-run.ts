/**
 * A run whose source runs in this process: asks the source for values, writes them, and ends the run once. Stopping aborts the source's
 * signal; a source that does not return within the grace time is left alone, and nothing that it yields later is written.
 */
import type { NewEvent } from '@/protocol/event'
import type { RunEnd, RunReason } from '@/protocol/run'
import { journal } from '@/server/observe/journal'
import { metrics } from '@/server/observe/metrics'
import type { EventLog } from '@/server/log/event-log'
import type { StoredRun } from '@/server/log/run-change'
import {
  createRunCount,
  encodeValue,
  RunLimitError,
  type RunLimits,
  type RunValue,
} from './run-values'
import { createRunWriter } from './run-writer'

export interface RunContext {
  /** The run's id. */
  id: string
  topic: string
  /** Aborts when the run is stopped or has ended. Pass it to everything that the source waits for. */
  signal: AbortSignal
}

/** Produces the values of a run. It is called once, outside of any request. */
export type RunSource<Value extends RunValue = RunValue> = (
  context: RunContext,
) => AsyncIterable<Value>

/** How a run ended. `unknown`: the log could not tell. */
export interface RunEnding {
  status: RunEnd | 'unknown'
  reason?: RunReason | undefined
}

export interface LocalRun {
  readonly id: string
  readonly topic: string
  /** Resolves when the run has ended and the log knows. Never rejects. */
  readonly ended: Promise<RunEnding>
  /** Aborts the source, which has the grace time to return. Stopping twice is harmless. */
  stop(reason?: RunReason): void
  /** Ends the run now, whatever the source does. */
  cutOff(status: RunEnd, reason: RunReason): void
  /** Tells the log that this process is alive, if nothing was written for `silentMs`. */
  renew(silentMs: number): void
  /** Milliseconds since the log last answered this run. */
  silentMs(): number
}

export interface LocalRunOptions {
  sample: Readonly<Record<string, number>>
  /** How long the source may take to return after a stop, in milliseconds. */
  graceMs: number
  limits: RunLimits
  /** Resolves when this process's readers have been woken for the event with this offset. */
  untilWoken: (offset: number) => Promise<void>
  /** Undefined: every value may be written. */
  check?: CheckValue | undefined
}

/** Throws when the events may not be published. */
export type CheckValue = (events: readonly NewEvent[]) => Promise<void>

type Ending = { status: RunEnd; reason?: RunReason | undefined } | 'ended elsewhere'

/** A source that yields without waiting would starve everything else: after so many values, others have a turn. */
const valuesPerTurn = 64

/** Starts the source. The run must have begun in the log. Of a run that is stopped already, the source is not called. */
export function startLocalRun(
  log: Pick<EventLog, 'append' | 'findRun'>,
  run: StoredRun,
  source: RunSource,
  { sample, graceMs, limits, untilWoken, check }: LocalRunOptions,
): LocalRun {
  const { id, topic } = run
  const aborting = new AbortController()
  const { signal } = aborting
  let finish: (ending: Ending) => void = () => {}
  const forced = new Promise<Ending>((resolve) => {
    finish = resolve
  })
  let isOver = false
  let stopping: Ending | undefined
  let graceTimer: NodeJS.Timeout | undefined
  /** The source, while it waits to be asked for another value. */
  let paused: AsyncIterator<RunValue> | undefined
  const writer = createRunWriter({
    log,
    run,
    sample,
    untilWoken,
    onStopping: stop,
    onEnded: () => finish('ended elsewhere'),
  })

  function stop(reason?: RunReason): void {
    if (stopping || isOver) return
    const ending = stopped(reason)
    stopping = ending
    graceTimer = setTimeout(() => finish(ending), graceMs)
    aborting.abort(new DOMException('The run was stopped.', 'AbortError'))
  }

  async function produce(): Promise<Ending> {
    const { count } = createRunCount(limits)
    try {
      const iterator = source({ id, topic, signal })[Symbol.asyncIterator]()
      for (let values = 1; ; values++) {
        paused = undefined
        const next = await iterator.next()
        if (next.done) break
        paused = iterator
        if (isOver) break
        const value = encodeValue(next.value, limits)
        if (check) await check([{ type: value.type, data: value.text }])
        count(value)
        writer.write(value)
        const ready = writer.ready()
        if (ready) await ready
        if (values % valuesPerTurn === 0) await nextTurn()
      }
      if (isOver) await returnSource()
      return stopping ?? { status: 'done' }
    } catch (error) {
      const isOfStop = stopping && isAbort(error)
      if (!isOfStop && !isOver) journal.error({ err: error, run: id, topic }, 'A run failed.')
      aborting.abort(new DOMException('The run has failed.', 'AbortError'))
      await returnSource()
      const reason = error instanceof RunLimitError ? error.reason : 'error'
      return stopping ?? { status: 'failed', reason }
    }
  }

  /** Gives a source that did not come to its end the grace time for its `finally`. */
  async function returnSource(): Promise<void> {
    const returned = Promise.resolve(paused?.return?.()).catch((error: unknown) => {
      journal.error({ err: error, run: id, topic }, 'A run failed at its end.')
    })
    paused = undefined
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs)
    })
    await Promise.race([returned, late])
    clearTimeout(timer)
  }

  async function runToEnd(): Promise<RunEnding> {
    // It was stopped before it began.
    const ending =
      run.state === 'stopping' ? stopped(run.reason) : await Promise.race([produce(), forced])
    isOver = true
    clearTimeout(graceTimer)
    aborting.abort(new DOMException('The run has ended.', 'AbortError'))
    const ended =
      ending === 'ended elsewhere' ? undefined : await writer.end(ending.status, ending.reason)
    writer.close()
    const result = endingOf(ended ?? (await log.findRun(topic, id).catch(() => undefined)))
    metrics.runsEnded.inc({ status: result.status })
    return result
  }

  return {
    id,
    topic,
    ended: runToEnd(),
    stop,
    cutOff: (status, reason) => finish({ status, reason }),
    renew(silentMs) {
      if (writer.silentMs() >= silentMs) writer.renew()
    },
    silentMs: () => writer.silentMs(),
  }
}

function stopped(reason: RunReason | undefined): Ending {
  return { status: 'stopped', reason }
}

/** The ending of a run that is over; `unknown` of any other. */
export function endingOf(run: StoredRun | undefined): RunEnding {
  if (!run || run.state === 'running' || run.state === 'stopping') return { status: 'unknown' }
  return { status: run.state, ...(run.reason && { reason: run.reason }) }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
