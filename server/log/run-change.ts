/**
 * Runs: work that writes a span of a topic, from its first event to its last. A log keeps a row for each run beside the events, and
 * decides here what may happen to it. At most one run of a topic lives.
 *
 * While a run lives, no event since its beginning is removed. Its row outlives the age limit of events by `keptMs`.
 */
import type { RunEnd, RunReason } from '@/protocol/run'
import { LogError } from './event-log'

/** What an append asks of a run. Only the changes to a living run, and `begin`, append their events. */
export type RunChange = { id: string } & (
  | {
      /** Begins the run, if its id was never used and no run of the topic lives. The first event is the beginning of its span. */
      op: 'begin'
    }
  | {
      /** Appends events of the living run, or none, and says that its producer is alive. Otherwise fails with `run-ended`. */
      op: 'renew'
      /** Changes the run only while its `renewals` have this value: so an append whose answer was lost can be sent again. */
      ifRenewals?: number | undefined
    }
  | {
      /**
       * Asks the living run to stop. A stop before the beginning is remembered for `earlyStopMs`: the run then begins as `stopping`.
       */
      op: 'stop'
      reason?: RunReason | undefined
    }
  | {
      /** Ends the living run; the last event is the end of its span. Fails with `run-ended` when there never was such a run. */
      op: 'end'
      status: RunEnd
      reason?: RunReason | undefined
      /** Ends the run only while its `renewals` have this value: so a run whose producer seems dead is not ended if it is alive. */
      ifRenewals?: number | undefined
    }
)

/** `stopping`: it was asked to stop, and has not ended yet. */
export type RunState = 'running' | 'stopping' | RunEnd

/** A run as a log keeps it. */
export interface StoredRun {
  id: string
  topic: string
  state: RunState
  reason: RunReason | undefined
  /** How often the producer has renewed the run. While it changes, the producer is alive. */
  renewals: number
  /** The offset of the first event. */
  first: number
  /** The offset of the last event. Undefined while the run lives. */
  last: number | undefined
}

export interface RunOutcome {
  /** True when the run was changed, and the events were appended. */
  applied: boolean
  /** The run now: for `begin`, perhaps another that lives. Undefined when a stop came before the beginning. */
  run: StoredRun | undefined
}

/** How long a stop waits for the beginning of its run, in milliseconds. */
export const earlyStopMs = 15_000
/** How many stops of a topic can wait. The oldest is dropped. */
export const maxEarlyStops = 16
/** How long the row of an ended run outlives the age limit of events, in milliseconds. */
export const keptMs = 7 * 86_400_000

/** What an engine knows. Each is asked only when it matters. */
export interface KnownRuns {
  /** The run with the id of the change. */
  own: () => StoredRun | undefined
  /** The living run of the topic. */
  living: () => StoredRun | undefined
  /** Whether a stop of this id waits for its beginning. */
  isStopped: () => boolean
}

/**
 * Decides about a change, for all engines but Redis, whose script repeats this. The engine writes what was applied, and remembers a stop
 * whose outcome has no run. `first` and `last` are the offsets that the events of the append get.
 */
export function decideRun(
  topic: string,
  change: RunChange,
  { own: findOwn, living, isStopped }: KnownRuns,
  { first, last }: { first: number; last: number },
): RunOutcome | LogError {
  const { id, op } = change
  const own = findOwn()
  if (op === 'begin') {
    const known = own ?? living()
    if (known) return { applied: false, run: known }
    const state = isStopped() ? 'stopping' : 'running'
    const run = {
      id,
      topic,
      state,
      reason: undefined,
      renewals: 0,
      first,
      last: undefined,
    } as const
    return { applied: true, run }
  }
  if (op === 'stop') {
    if (own?.state !== 'running') return { applied: false, run: own }
    return { applied: true, run: { ...own, state: 'stopping', reason: change.reason } }
  }
  if (!own || (op === 'renew' && !isLiving(own))) return runEnded()
  const { ifRenewals = own.renewals } = change
  if (!isLiving(own) || ifRenewals !== own.renewals) return { applied: false, run: own }
  if (op === 'renew') return { applied: true, run: { ...own, renewals: own.renewals + 1 } }
  const { status: state, reason } = change
  return { applied: true, run: { ...own, state, reason, last } }
}

export function isLiving({ state }: Pick<StoredRun, 'state'>): boolean {
  return state === 'running' || state === 'stopping'
}

export function runEnded(): LogError {
  return new LogError('run-ended', 'The run has ended, or never began.')
}
