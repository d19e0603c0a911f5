/**
 * Judges by its own clock whether the producers of runs are alive: a run whose counter of renewals does not change for one lease is
 * lost, and is ended on condition of that counter. No other machine's clock counts.
 */
import type { RunEvents } from '@/protocol/run'
import type { EventLog } from '@/server/log/event-log'
import type { StoredRun } from '@/server/log/run-change'

/** How long a producer may be silent, in milliseconds. */
const leaseMs = 15_000
/** How often producers renew and judges look. */
export const lookEveryMs = leaseMs / 3

export interface LeaseJudge {
  /** Notes how the living runs stand now, and ends those that did not change for one lease. Call it every `lookEveryMs`. */
  look(living: readonly StoredRun[], log: Pick<EventLog, 'append'>): Promise<void>
}

interface Seen {
  renewals: number
  /** For how long the counter was seen unchanged, in milliseconds. */
  unchangedMs: number
}

export function createLeaseJudge(now: () => number = () => performance.now()): LeaseJudge {
  let seen = new Map<string, Seen>()
  let lookedAt = now()

  return {
    async look(living, log) {
      // A look that comes late, because the log was away or this process stood still, must not count for more than one: producers may
      // have stood still as well.
      const sinceMs = Math.min(now() - lookedAt, 1.5 * lookEveryMs)
      lookedAt = now()
      const before = seen
      seen = new Map()
      for (const run of living) {
        const key = `${run.topic}:${run.id}`
        const known = before.get(key)
        const isUnchanged = known?.renewals === run.renewals
        const unchangedMs = isUnchanged ? known.unchangedMs + sinceMs : 0
        seen.set(key, { renewals: run.renewals, unchangedMs })
        if (unchangedMs >= leaseMs) await endLost(log, run)
      }
    },
  }
}

async function endLost(
  log: Pick<EventLog, 'append'>,
  { id, topic, state, reason, renewals }: StoredRun,
): Promise<void> {
  const status = state === 'stopping' ? 'stopped' : 'lost'
  const data: RunEvents['run.end'] = { run: id, status, reason }
  await log.append(topic, [{ type: 'run.end', data: JSON.stringify(data) }], {
    run: { id, op: 'end', status, reason, ifRenewals: renewals },
  })
}
