/**
 * Judges whether rights ended when they had to, and only then. An event counts as appended after its publisher had begun to send it: so
 * no event that was sent after a right had ended may be shown by a stream of that right.
 */
import { offsetOf } from '../record'
import type { Violation } from '../judge/violation'
import type { Disconnect, Selector, SessionRun, StreamRecord } from './session-record'
import type { Grant } from './session-store'

/** A server may be stopped for so long, and go on from what it knew before. */
const standstillMs = 10_000

export function judgeSessions(run: SessionRun): Violation[] {
  const violations = run.streams.flatMap((stream) => {
    const grant = run.grants.get(stream.name)
    return [...findShownTooLong(stream, grant, run), ...findThrownOut(stream, grant, run)]
  })
  return violations.toSorted((one, other) => one.at - other.at)
}

function findShownTooLong(
  stream: StreamRecord,
  grant: Grant | undefined,
  run: SessionRun,
): Violation[] {
  for (const { at, event, id } of stream.shown) {
    const sentAt = event?.attempts[0]?.startedAt
    if (sentAt === undefined) continue
    const why = grant ? whyOver(stream, grant, run, { sentAt, at }) : 'nobody had granted it'
    if (why === undefined) continue
    const message = `${stream.name} (${stream.topics.join(',')}) showed ${id} ${event?.key}, sent at ${timeOf(sentAt)}: ${why}`
    // One of a stream is enough.
    return [
      { kind: 'shown-without-right', at, message, context: linesOf(stream, grant, offsetOf(id)) },
    ]
  }
  return []
}

/** Why the right had ended before the event was sent; undefined when it had not. */
function whyOver(
  stream: StreamRecord,
  grant: Grant,
  { disconnects, confirmations, recheckMs }: SessionRun,
  shown: { sentAt: number; at: number },
): string | undefined {
  const { sentAt } = shown
  const disconnect = disconnects.find(
    ({ selector, askedAt, resolvedAt }) =>
      askedAt >= grant.at && resolvedAt < sentAt && isMeant(selector, stream.topics, grant),
  )
  if (disconnect) return `it was disconnected at ${timeOf(disconnect.resolvedAt)}`
  if (grant.until !== undefined && grant.until < sentAt) return `it ended at ${timeOf(grant.until)}`
  const openedAt = Math.max(grant.at, stream.openedAt ?? 0)
  if (!stream.isConfirmed) {
    return openedAt + recheckMs < sentAt ? `it was opened at ${timeOf(openedAt)}` : undefined
  }
  const confirmed = confirmations.findLast(
    ({ login, at }) => login === grant.login && at <= shown.at,
  )
  const confirmedAt = Math.max(openedAt, confirmed?.at ?? 0)
  return confirmedAt + recheckMs + standstillMs < sentAt
    ? `it was confirmed last at ${timeOf(confirmedAt)}`
    : undefined
}

function findThrownOut(
  { name, askedAt, topics, end, login }: StreamRecord,
  grant: Grant | undefined,
  { disconnects }: SessionRun,
): Violation[] {
  if (end?.kind === 'refused' && login && end.isStillIn) {
    const message = `${name} asked for ${topics.join(',')} with a login of ${login.user} that held, and got ${end.status} ${end.code}`
    return [{ kind: 'thrown-out', at: end.at, message, context: [] }]
  }
  if (end?.kind !== 'sent-away' || end.reason !== 'revoked' || !grant) return []
  const meant = disconnects.filter(({ selector }) => isMeant(selector, topics, grant))
  // A server that had not yet heard of a disconnect grants, and takes the right back: its reader comes back at once.
  const isExplained = meant.some(
    (one) => one.askedAt <= end.at && one.resolvedAt >= askedAt - standstillMs,
  )
  if (isExplained) return []
  const message = `${name} was told that its right is revoked, and it was not`
  return [{ kind: 'thrown-out', at: end.at, message, context: meant.map(describe) }]
}

function isMeant(selector: Selector, topics: readonly string[], { login }: Grant): boolean {
  if ('subject' in selector) return selector.subject === login.user
  if ('sessionKey' in selector) return selector.sessionKey === login.id
  return selector.topics.some((topic) => topics.includes(topic))
}

function linesOf(stream: StreamRecord, grant: Grant | undefined, offset: number): string[] {
  const around = stream.shown.filter(({ id }) => Math.abs(offsetOf(id) - offset) < 20)
  return [
    `asked at ${timeOf(stream.askedAt)}, granted at ${grant ? timeOf(grant.at) : 'no time'} to ${grant?.login.user ?? 'nobody'}`,
    `opened at ${timeOf(stream.openedAt ?? 0)}, ended by ${JSON.stringify(stream.end)}`,
    ...around.map(({ at, id, event }) => `${timeOf(at)} ${id} ${event?.key}`),
  ]
}

function describe({ selector, askedAt, resolvedAt }: Disconnect): string {
  const end = Number.isFinite(resolvedAt) ? timeOf(resolvedAt) : 'never'
  return `disconnect ${JSON.stringify(selector)} at ${timeOf(askedAt)}, resolved at ${end}`
}

function timeOf(at: number): string {
  return new Date(at).toISOString().slice(11, 23)
}
