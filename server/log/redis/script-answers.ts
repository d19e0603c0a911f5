/** The arguments and the answers of the scripts. */
import { formatCursor } from '@/protocol/cursor'
import type { StoredEvent } from '@/protocol/event'
import type { RunReason } from '@/protocol/run'
import { LogError, type AppendResult, type EventLog, type LostReason } from '@/server/log/event-log'
import { runEnded, type RunChange, type RunState, type StoredRun } from '@/server/log/run-change'
import { RedisError } from './redis-connection'

export type Argument = string | number
type Reason = LostReason | ''

/** The answer of each script, after the head. */
export interface Answers {
  logHead: []
  /** An answer to each append, in order. */
  logAppend: [answers: AppendAnswer[]]
  logRead: [
    reason: Reason,
    removed: number[],
    through: number,
    rows: EventRow[],
    terms: [epoch: string, begin: number][],
  ]
  /** `first` is the offset of the first event to read, or 0 when there is none. */
  logLocate: [reason: Reason, removed: number[], first: number, epoch: string]
  logFindRun: [run: RunRow]
  logLivingRuns: [runs: RunRow[]]
}

export type AppendAnswer =
  | [
      /** `unchanged` and `run-ended`: the run did not change, so nothing was appended. */
      outcome: 'appended' | 'replayed' | 'conflict' | 'unchanged' | 'run-ended',
      epoch: string,
      first: number,
      count: number,
      isBehind?: 1 | null,
      run?: RunRow,
    ]
  | [
      /** Redis refused a command, for example because it has no memory left. */
      outcome: 'refused',
      message: string,
    ]

/** Empty when there is no run. `last` is 0 while the run lives. */
type RunRow =
  | []
  | [
      topic: string,
      id: string,
      state: RunState,
      reason: RunReason | '',
      renewals: number,
      first: number,
      last: number,
    ]

export function toRun(row: RunRow = []): StoredRun | undefined {
  if (row.length === 0) return undefined
  const [topic, id, state, reason, renewals, first, last] = row
  return { topic, id, state, reason: reason || undefined, renewals, first, last: last || undefined }
}

type EventRow = [topic: string, type: string, data: string, offset: number, time: number]

/** Both the rows and the terms must be in the order of their offsets. */
export function toEvents(rows: readonly EventRow[], terms: Answers['logRead'][4]): StoredEvent[] {
  let index = 0
  return rows.map(([topic, type, data, offset, time]) => {
    while ((terms[index + 1]?.[1] ?? Infinity) < offset) index++
    return { topic, epoch: terms[index]?.[0] ?? '', offset, type, data, time }
  })
}

export function argumentsOf(start: Parameters<EventLog['locate']>[1]): Argument[] {
  if ('cursor' in start) return ['cursor', start.cursor.epoch, start.cursor.offset]
  return 'last' in start ? ['last', start.last] : ['since', start.since]
}

/**
 * @throws {LogError} `run-ended` or `idempotency-conflict`: nothing was appended
 * @throws {RedisError} `refused`
 */
export function toAppendResult(answer: AppendAnswer): AppendResult {
  if (answer[0] === 'refused') throw new RedisError('refused', answer[1])
  const [outcome, epoch, first, count, , row] = answer
  const run = toRun(row)
  switch (outcome) {
    case 'run-ended':
      throw runEnded()
    case 'conflict':
      throw new LogError(
        'idempotency-conflict',
        'The idempotency key was used before, for other events.',
      )
    case 'unchanged':
      return { ids: [], replayed: false, run: { applied: false, run } }
    case 'appended':
    case 'replayed': {
      const ids = Array.from({ length: count }, (_, index) =>
        formatCursor({ epoch, offset: first + index }),
      )
      return { ids, replayed: outcome === 'replayed', run: run && { applied: true, run } }
    }
  }
}

export function runArguments(run: RunChange | undefined): Argument[] {
  if (!run) return ['', '', '', '', '']
  const { id, op } = run
  const status = op === 'end' ? run.status : ''
  const reason = op === 'stop' || op === 'end' ? (run.reason ?? '') : ''
  const renewals = op === 'renew' || op === 'end' ? (run.ifRenewals ?? '') : ''
  return [id, op, status, reason, renewals]
}
