/** Judges a whole run: what was acknowledged, and what every reader got. Knows nothing of servers. */
import { offsetOf, type PublishedEvent, type Run } from '../record'
import { createHistory, type History, type Placed } from './history'
import { judgeAudit } from './judge-audit'
import { judgeReader } from './judge-reader'
import type { Violation } from './violation'

/** All violations, the earliest first. */
export function judge(run: Run): Violation[] {
  const history = createHistory(run)
  const violations = [
    ...findSharedIds(run),
    ...findPublishedTwice(run, history),
    ...findWrongOrder(run, history),
    ...run.readers.flatMap((record) => judgeReader(record, history, run)),
    ...run.readers.flatMap(judgeAudit),
  ]
  return violations.toSorted((one, other) => one.at - other.at)
}

/** One id names one event, for all readers and publishers, whatever happened to the log. */
function findSharedIds({ sightings }: Run): Violation[] {
  const violations: Violation[] = []
  const eventOf = new Map<string, PublishedEvent>()
  for (const { id, event } of sightings) {
    if (!event) continue
    const named = eventOf.get(id)
    if (named === undefined) eventOf.set(id, event)
    else if (named !== event) {
      violations.push({
        kind: 'id-twice',
        at: Math.max(startOf(named), startOf(event)),
        message: `${id} names ${named.key} and ${event.key}`,
        context: [describe(named), describe(event)],
      })
    }
  }
  return violations
}

function findPublishedTwice({ events }: Run, history: History): Violation[] {
  const violations: Violation[] = []
  for (const event of events) {
    const [first, ...others] = history
      .ofEvent(event)
      .toSorted((one, other) => one.offset - other.offset)
    const lastTry = event.attempts.at(-1)
    if (!first || !lastTry) continue
    const again = others.find(({ born, dies }) => born < first.dies && first.born < dies)
    // A key is kept as long as its event is.
    const isForgotten = event.attempts.length > 1 && history.mayBeTrimmed(first, lastTry.startedAt)
    if (!again || isForgotten) continue
    violations.push({
      kind: 'published-twice',
      at: startOf(event),
      message: `${event.key} of ${event.topic} is in the log at ${first.offset} and at ${again.offset}`,
      context: [describe(event)],
    })
  }
  return violations
}

/** An event that was acknowledged before another was sent has the lower offset. */
function findWrongOrder({ events, lives }: Run, history: History): Violation[] {
  const violations: Violation[] = []
  for (const life of lives.keys()) {
    const born = events.flatMap((event) =>
      history.ofEvent(event).filter((placed) => placed.born === life),
    )
    born.sort((one, other) => other.offset - one.offset)
    let earliest: Placed | undefined
    let earliestAt = Infinity
    for (const placed of born) {
      if (earliest && startOf(placed.event) > earliestAt) {
        violations.push({
          kind: 'out-of-order',
          at: earliestAt,
          message: `${earliest.event.key} was acknowledged before ${placed.event.key} was sent, and has the higher offset`,
          context: [describe(earliest.event), describe(placed.event)],
        })
      }
      const at = acknowledgedAt(placed)
      if (at < earliestAt) {
        earliest = placed
        earliestAt = at
      }
    }
  }
  return violations
}

function acknowledgedAt({ event, offset }: Placed): number {
  const answered = event.attempts.find(({ id }) => id !== undefined && offsetOf(id) === offset)
  return answered?.endedAt ?? Infinity
}

function startOf({ attempts }: PublishedEvent): number {
  return attempts[0]?.startedAt ?? 0
}

function describe({ key, topic, attempts }: PublishedEvent): string {
  const tries = attempts.map(({ startedAt, endedAt, id }) => {
    const at = new Date(startedAt).toISOString().slice(11, 23)
    return `at ${at}, after ${endedAt - startedAt} ms ${id ?? 'no answer that says so'}`
  })
  return `${key} of ${topic} was sent ${tries.join('; ')}`
}
