/**
 * Judges what an app's `authorize` has answered. Only `true` and a plain object of the known fields grant: a truthy value may be a
 * `Response`, which some libraries return for everyone, or a user who is not the one that the app has in mind.
 */

/** What was granted. */
export interface Granted {
  subject: string | undefined
  sessionKey: string | undefined
  /** When the right ends, in milliseconds since the Unix epoch; undefined for never. */
  expiresAtMs: number | undefined
}

export type Verdict =
  | { granted: Granted }
  | { refused: 'login-required' | 'not-granted' }
  /** Says what the answer was instead, without any of its values. */
  | { fault: string }

/** Nobody's session ended before 1973: a smaller number is of seconds. */
const leastUntilMs = 100_000_000_000

export function judgeAnswer(answer: unknown): Verdict {
  if (answer === true) {
    return { granted: { subject: undefined, sessionKey: undefined, expiresAtMs: undefined } }
  }
  if (answer === false) return { refused: 'not-granted' }
  if (!isPlain(answer)) return { fault: nameOf(answer) }
  const fields = Reflect.ownKeys(answer).map(String)
  const unknown = fields.filter((field) => !known.has(field))
  if (unknown.length > 0) return { fault: `an object with ${unknown.slice(0, 3).join(', ')}` }
  if (fields.length === 0) return { fault: 'an empty object' }
  return judgeFields(answer, fields)
}

const known = new Set(['subject', 'sessionKey', 'until'])

function judgeFields(
  { subject, sessionKey, until }: { subject?: unknown; sessionKey?: unknown; until?: unknown },
  fields: readonly string[],
): Verdict {
  // `{ subject: session?.userId }` of somebody who is not logged in.
  const isMissing = subject === undefined || subject === null || subject === ''
  if (fields.includes('subject') && isMissing) return { refused: 'login-required' }
  if (!isMissing && typeof subject !== 'string') {
    return { fault: `an object whose subject is ${nameOf(subject)}` }
  }
  if (sessionKey !== undefined && (typeof sessionKey !== 'string' || sessionKey === '')) {
    return { fault: `an object whose sessionKey is ${nameOf(sessionKey)}` }
  }
  const expiresAtMs = until === undefined ? undefined : timeOf(until)
  if (expiresAtMs !== undefined && !(expiresAtMs >= leastUntilMs)) {
    return { fault: 'an object whose until is neither a Date nor milliseconds since 1970' }
  }
  if (expiresAtMs !== undefined && expiresAtMs <= Date.now()) return { refused: 'login-required' }
  return { granted: { subject: isMissing ? undefined : subject, sessionKey, expiresAtMs } }
}

/** `NaN` for what is no time. */
function timeOf(until: unknown): number {
  if (typeof until === 'number') return until
  return Object.prototype.toString.call(until) === '[object Date]' ? Number(until) : Number.NaN
}

/** True for an object literal, of whatever realm. */
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** What kind of value it is; never the value, which may be secret. */
function nameOf(value: unknown): string {
  if (value === undefined || value === null) return String(value)
  if (value === '') return 'an empty string'
  if (typeof value !== 'object') return `a ${typeof value}`
  const { name } = (value.constructor as { name?: unknown } | undefined) ?? {}
  return typeof name === 'string' && name !== 'Object' ? `an instance of ${name}` : 'an object'
}
