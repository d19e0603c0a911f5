/**
 * A queue of appends to a file that only one process at a time can write. Appends that arrive together, or wait together for
 * another process, share a transaction. Both the time and the bytes that may wait are limited.
 */
import { LogError, type AppendResult } from '@/server/log/event-log'
import { isBusy, isFull } from './sqlite-connection'
import { stepRows } from './sqlite-trimmer'
import type { Append, SqliteWriter, Written } from './sqlite-writer'

export interface AppendQueue {
  push(append: Append): Promise<AppendResult>
  /** Resolves when nothing is waiting or being trimmed. */
  idle(): Promise<void>
}

interface Waiting extends Append {
  bytes: number
  since: number
  resolve: (result: AppendResult) => void
  reject: (error: LogError) => void
}

const maxWaitingBytes = 8 * 1024 * 1024
const maxWaitMs = 5_000
/** A transaction blocks the event loop: this much takes about 10 ms. */
const maxBatch = { events: 2_000, bytes: 1024 * 1024 }
/** Roughly the bytes that an event takes besides its data. */
const overheadBytes = 64

export interface AppendQueueHooks {
  /** Throws when the file is not the one that was opened. */
  checkFile: () => void
  /** Called when the disk is full. Returns true when there is space now. */
  makeRoom: () => boolean
  /** Called after every transaction that added events. */
  onCommit: () => void
}

export function createAppendQueue(
  writer: Pick<SqliteWriter, 'write' | 'trim'>,
  { checkFile, makeRoom, onCommit }: AppendQueueHooks,
): AppendQueue {
  const waiting: Waiting[] = []
  let waitingBytes = 0
  let working: Promise<void> | undefined

  async function work(): Promise<void> {
    while (waiting.length > 0) {
      // Wait for the rest of this turn, so that its appends join the batch.
      await nextTurn()
      const batch = waiting.slice(0, batchLength(waiting))
      const written = write(batch)
      if (written) {
        if (written.rows > 0) onCommit()
        await trim(written)
      } else {
        await shortPause()
      }
    }
    working = undefined
  }

  /** Undefined when nothing was written. When the file is locked, appends that are not overdue stay in the queue. */
  function write(batch: readonly Waiting[]): Written | undefined {
    try {
      checkFile()
      const written = writeOrMakeRoom(batch)
      // Check again: SQLite can write to a deleted file without an error.
      checkFile()
      leave(batch)
      resolveAll(batch, written)
      return written
    } catch (cause) {
      if (isBusy(cause)) rejectOverdue()
      else rejectAll(batch, cause instanceof LogError ? cause : unavailable(cause))
      return undefined
    }
  }

  function writeOrMakeRoom(batch: readonly Waiting[]): Written {
    try {
      return writer.write(batch)
    } catch (cause) {
      if (!isFull(cause) || !makeRoom()) throw cause
      return writer.write(batch)
    }
  }

  function leave(batch: readonly Waiting[]): void {
    waiting.splice(0, batch.length)
    for (const { bytes } of batch) waitingBytes -= bytes
  }

  function rejectOverdue(): void {
    const latest = performance.now() - maxWaitMs
    const overdue = waiting.filter(({ since }) => since <= latest)
    rejectAll(
      overdue,
      new LogError('busy', 'Another process has kept the event log locked for too long.'),
    )
  }

  /** `appends` must be the first ones in the queue. */
  function rejectAll(appends: readonly Waiting[], error: LogError): void {
    leave(appends)
    for (const append of appends) append.reject(error)
  }

  /** Runs one step more than was written, so that a backlog shrinks with every append. */
  async function trim({ rows, topicIds }: Written): Promise<void> {
    try {
      for (let steps = Math.ceil(rows / stepRows) + 1; steps > 0; steps--) {
        if (!writer.trim(topicIds)) return
        await nextTurn()
      }
    } catch {
      // The events are safe; a log that can't be trimmed now is trimmed with the next append.
    }
  }

  return {
    push(append) {
      const bytes = sizeOf(append)
      if (waiting.length > 0 && waitingBytes + bytes > maxWaitingBytes) {
        return Promise.reject(
          new LogError('busy', 'Too many events are waiting to be appended to the event log.'),
        )
      }
      return new Promise((resolve, reject) => {
        waiting.push({ ...append, bytes, since: performance.now(), resolve, reject })
        waitingBytes += bytes
        working ??= work()
      })
    },
    idle: () => working ?? Promise.resolve(),
  }
}

/** How many of the waiting appends fit into one transaction: at least one, and never a part of one. */
function batchLength(waiting: readonly Waiting[]): number {
  let budget = { ...maxBatch }
  const tooMany = waiting.findIndex(({ events, bytes }, index) => {
    budget = { events: budget.events - events.length, bytes: budget.bytes - bytes }
    return index > 0 && (budget.events < 0 || budget.bytes < 0)
  })
  return tooMany === -1 ? waiting.length : tooMany
}

function resolveAll(batch: readonly Waiting[], { outcomes }: Written): void {
  for (const [index, { resolve, reject }] of batch.entries()) {
    const outcome = outcomes[index]
    if (outcome instanceof LogError) reject(outcome)
    else if (outcome) resolve(outcome)
  }
}

function unavailable(cause: unknown): LogError {
  return new LogError('unavailable', 'The event log could not be written.', { cause })
}

function sizeOf({ events }: Append): number {
  let bytes = 0
  for (const { data } of events) bytes += Buffer.byteLength(data) + overheadBytes
  return bytes
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

/** 5 to 20 ms. Random, so that processes that wait for each other don't retry in step. */
function shortPause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 5 + 15 * Math.random())
  })
}
