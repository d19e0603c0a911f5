/**
 * Disconnects: orders to end the streams of a user, of a login or of topics. They are events of the log, so that every process applies
 * them in the order of the events: what was appended after a disconnect reaches no stream that was granted before it.
 */
import { hash } from 'node:crypto'
import { parseJsonObject } from '@/protocol/json'
import { isTopicPattern } from '@/protocol/topics/topic-pattern'
import type { EventLog } from '@/server/log/event-log'
import { disconnectTopic } from '@/server/log/retention'

/** Whose streams end: those of a user, those of one login, or those that read one of the topics. Topics may be patterns: `orders.*` or `*`. */
export type DisconnectTarget =
  | { subject: string }
  | { sessionKey: string }
  | { topics: readonly string[] }

/** The target of a disconnect is incomplete, so nothing was disconnected. */
export class DisconnectError extends Error {
  override name = 'DisconnectError'
  readonly code = 'invalid-target'

  /** Compares by name: Next bundles routes and pages separately, so an error may be an instance of another bundle's class. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'DisconnectError'
  }
}

/** A disconnect as it is stored: the name of a user or login, or patterns of topics. */
export type Disconnect = { name: string } | { topics: readonly string[] }

/**
 * Resolves when the log has stored the disconnect.
 * @throws {LogError} the log could not take it
 */
export async function appendDisconnect(
  log: Pick<EventLog, 'append'>,
  disconnect: Disconnect,
): Promise<void> {
  await log.append(disconnectTopic, [{ type: 'disconnect', data: JSON.stringify(disconnect) }])
}

/** Undefined for data that a newer program has written. */
export function parseDisconnect(data: string): Disconnect | undefined {
  const { name, topics } = parseJsonObject(data) ?? {}
  if (typeof name === 'string') return { name }
  return isPatterns(topics) ? { topics } : undefined
}

/** Who was granted a stream, as the app says. */
export interface Grantee {
  subject: string | undefined
  sessionKey: string | undefined
}

/** The names by which a disconnect means a grantee. */
export function namesOf({ subject, sessionKey }: Grantee): string[] {
  const names: string[] = []
  if (subject !== undefined) names.push(nameOf('subject', subject))
  if (sessionKey !== undefined) names.push(nameOf('sessionKey', sessionKey))
  return names
}

/** A hash: a copy of the log must not give away the key of a session. */
function nameOf(kind: 'subject' | 'sessionKey', value: string): string {
  return hash('sha256', `${kind}\n${value}`, 'base64url').slice(0, 22)
}

/** @throws {DisconnectError} the target does not say whose streams end, or names more than one thing */
export function readTarget(target: DisconnectTarget): Disconnect {
  const [field, ...others] = Object.keys(Object(target) as object)
  if (field === undefined || others.length > 0) {
    throw new DisconnectError('disconnect: name either `subject`, `sessionKey` or `topics`.')
  }
  const value = (target as unknown as Record<string, unknown>)[field]
  if (field === 'subject' || field === 'sessionKey') {
    if (typeof value === 'string' && value !== '') return { name: nameOf(field, value) }
    throw new DisconnectError(`disconnect: \`${field}\` must be a string that is not empty.`)
  }
  if (field === 'topics' && isPatterns(value)) return { topics: value }
  throw new DisconnectError(
    field === 'topics'
      ? 'disconnect: `topics` must be a list of topics, `prefix.*` or `*`, with at least one.'
      : `disconnect: \`${field}\` is not known. Name either \`subject\`, \`sessionKey\` or \`topics\`.`,
  )
}

function isPatterns(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((item) => typeof item === 'string' && isTopicPattern(item))
  )
}
