/**
 * Writes the values of one run to the log: the first one after a pause at once, then whatever came, every 50 ms. When the process is busy,
 * less often: a batch costs several times what each of its values does. One append at a time, so that the values keep their order; one
 * that fails because the log is away is sent again, and is never written twice.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseCursor, type Cursor } from '@/protocol/cursor'
import type { NewEvent } from '@/protocol/event'
import type { RunEnd, RunEvents, RunReason } from '@/protocol/run'
import { journal } from '@/server/observe/journal'
import { LogError, type AppendResult, type EventLog } from '@/server/log/event-log'
import type { RunChange, StoredRun } from '@/server/log/run-change'
import { createBatchClock } from './batch-clock'
import { createSampler } from './sampler'
import type { EncodedValue } from './run-values'

export interface RunWriter {
  /** Takes a value. Wait for `ready` before the next one. */
  write(value: EncodedValue): void
  /** Undefined when there is room for another value. Otherwise resolves when there is, or when the run is over. */
  ready(): Promise<void> | undefined
  /** Tells the log that the producer is alive, unless something was written a moment ago. */
  renew(): void
  /** Milliseconds since the log last answered an append. */
  silentMs(): number
  /** Writes what is left, and the end. Resolves with the run as it ended, by this or another end. Undefined when the log is away for long. */
  end(status: RunEnd, reason: RunReason | undefined): Promise<StoredRun | undefined>
  /** Writes nothing any more. */
  close(): void
}

export interface RunWriterOptions {
  log: Pick<EventLog, 'append'>
  run: StoredRun
  sample: Readonly<Record<string, number>>
  /** Resolves when this process's readers have been woken for the event with this offset. */
  untilWoken: (offset: number) => Promise<void>
  /** The log says that the run was asked to stop. May be called several times. */
  onStopping: (reason: RunReason | undefined) => void
  /** The run has ended without this producer: nothing can be written any more. */
  onEnded: () => void
}

/** From the beginning of one batch to the next. */
const intervalMs = 50
/** When a batch took longer than a third of that to reach the readers, the next one waits three times as long as it took, up to this. */
const longestIntervalMs = 500
const pace = 3
const batches = createBatchClock()
const maxWaiting = { events: 1_000, bytes: 256 * 1024 }
const retryMs = 250
/** By then others have judged that the run is lost. */
const giveUpMs = 30_000

export function createRunWriter({
  log,
  run: { id, topic, renewals: begun },
  sample,
  untilWoken,
  onStopping,
  onEnded,
}: RunWriterOptions): RunWriter {
  let renewals = begun
  let waiting: NewEvent[] = []
  let waitingBytes = 0
  let appending: Promise<void> | undefined
  let appendedAt = performance.now()
  /** The readers were not woken for the last batch yet. */
  let isHeldUp = false
  let startedAt = -Infinity
  /** How long the last batch took until the readers were woken for it. */
  let tookMs = 0
  let cancelStart: (() => void) | undefined
  let wake: (() => void) | undefined
  let room: Promise<void> | undefined
  /** Nothing is written any more but the end; since when, by `performance.now()`. */
  let endingSince: number | undefined
  let isClosed = false
  const sampler = createSampler(sample, (value) => {
    waiting.push(...value.events)
    waitingBytes += value.bytes
    schedule()
  })

  function isFull(): boolean {
    return waiting.length >= maxWaiting.events || waitingBytes >= maxWaiting.bytes
  }

  function schedule(): void {
    if (appending || isHeldUp || isClosed || endingSince !== undefined) return
    const dueAt = startedAt + Math.min(Math.max(intervalMs, pace * tookMs), longestIntervalMs)
    if (isFull() || dueAt <= performance.now()) start()
    else cancelStart ??= batches.at(dueAt, start)
  }

  function start(): void {
    cancelStart?.()
    cancelStart = undefined
    startedAt = performance.now()
    appending = appendWaiting()
  }

  async function appendWaiting(): Promise<void> {
    const batch = takeWaiting()
    const result = await send(batch, { id, op: 'renew', ifRenewals: renewals })
    appending = undefined
    if (!result) return
    renewals++
    if (result.run?.run?.state === 'stopping') onStopping(result.run.run.reason)
    void goOn(parseCursor(result.ids.at(-1)))
  }

  /** Otherwise a process that can't keep up would append ever more, in small batches, that no reader has got. */
  async function goOn(last: Cursor | undefined): Promise<void> {
    isHeldUp = true
    if (last) await untilWoken(last.offset)
    isHeldUp = false
    tookMs = performance.now() - startedAt
    if (waiting.length > 0) schedule()
  }

  function takeWaiting(): NewEvent[] {
    const batch = waiting
    waiting = []
    waitingBytes = 0
    wake?.()
    wake = room = undefined
    return batch
  }

  /** Sends until the log answers. Undefined when the run has ended, or the log is away for long after the last value. */
  async function send(
    events: readonly NewEvent[],
    change: RunChange,
  ): Promise<AppendResult | undefined> {
    for (;;) {
      try {
        const result = await log.append(topic, events, { run: change })
        appendedAt = performance.now()
        return result
      } catch (error) {
        const isAway =
          error instanceof LogError && error.code !== 'run-ended' && error.code !== 'closed'
        if (!isAway) {
          if (!(error instanceof LogError)) journal.error({ err: error }, 'A run failed.')
          close()
          onEnded()
          return undefined
        }
      }
      if (isClosed || performance.now() - (endingSince ?? Infinity) > giveUpMs) return undefined
      await sleep(retryMs)
    }
  }

  function close(): void {
    isClosed = true
    cancelStart?.()
    sampler.close()
    takeWaiting()
  }

  return {
    write(value) {
      if (!isClosed) sampler.push(value)
    },
    ready() {
      if (isClosed || !isFull()) return undefined
      return (room ??= new Promise((resolve) => {
        wake = resolve
      }))
    },
    renew() {
      if (!appending && !isClosed && endingSince === undefined) start()
    },
    silentMs: () => performance.now() - appendedAt,
    async end(status, reason) {
      sampler.flush()
      endingSince = performance.now()
      cancelStart?.()
      await appending
      if (isClosed) return undefined
      const data: RunEvents['run.end'] = { run: id, status, reason }
      const batch = [...takeWaiting(), { type: 'run.end', data: JSON.stringify(data) }]
      const result = await send(batch, { id, op: 'end', status, reason })
      close()
      return result?.run?.run
    },
    close,
  }
}
