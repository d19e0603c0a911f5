/**
 * Refusals: everything that can be wrong with a request, in one table. Any step can throw a `Refusal`; one place renders it as problem
 * details.
 * @see https://www.rfc-editor.org/rfc/rfc9457
 */
import { jsonAnswer, type Answer } from './answer'
import { metrics } from './observe/metrics'

const kinds = {
  // The path and the query
  'malformed-path': { status: 400, title: 'Malformed path' },
  'invalid-topic': { status: 400, title: 'Malformed topic' },
  'unknown-topic': { status: 404, title: 'Unknown topic' },
  'too-many-topics': { status: 400, title: 'Too many topics' },
  'invalid-cursor': { status: 400, title: 'Malformed cursor' },
  'invalid-query': { status: 400, title: 'Malformed query' },
  'not-an-image': { status: 400, title: 'Not an image' },
  'invalid-type': { status: 422, title: 'Malformed event type' },
  'reserved-type': { status: 422, title: 'Reserved event type' },
  'unknown-type': { status: 422, title: 'Unknown event type' },

  // The body
  'empty-body': { status: 400, title: 'Empty body' },
  'invalid-utf8': { status: 400, title: 'Body is not UTF-8' },
  'invalid-json': { status: 400, title: 'Body is not JSON' },
  'invalid-data': { status: 422, title: 'Data that does not fit its type' },
  'event-too-large': { status: 413, title: 'Event too large' },
  'body-too-large': { status: 413, title: 'Body too large' },
  'run-too-large': { status: 413, title: 'Run too large' },
  'too-many-events': { status: 413, title: 'Too many events' },
  'unsupported-media-type': { status: 415, title: 'Unsupported media type' },

  // The client, and how often it asks
  'invalid-idempotency-key': { status: 400, title: 'Malformed idempotency key' },
  'idempotency-conflict': { status: 422, title: 'Idempotency key used for another body' },
  'cross-site': { status: 403, title: 'Request from another site' },
  'token-required': { status: 401, title: 'Token required' },
  'invalid-token': { status: 401, title: 'Invalid token' },
  'login-required': { status: 401, title: 'Login required' },
  'not-granted': { status: 403, title: 'Not granted' },
  'reader-changed': { status: 409, title: 'Another reader now' },
  'secret-not-set': { status: 403, title: 'No token is accepted' },
  'run-living': { status: 409, title: 'Another run has not ended' },
  'run-ended': { status: 409, title: 'Run has ended' },
  'too-many-publishes': { status: 429, title: 'Too many publishes' },

  // The server
  'schema-failed': { status: 500, title: 'Schema failed' },
  'access-error': { status: 500, title: 'Access not decided' },
  busy: { status: 503, title: 'Server busy' },
  unavailable: { status: 503, title: 'Server unavailable' },
} as const

/** Why the library refused a request. Programs can rely on these codes; docs/protocol.md documents them. */
export type ProblemCode = keyof typeof kinds

/** An app's own kind of refusal, for cases in which no code of the library fits. */
export interface OwnProblem {
  /** From 400 to 599. */
  status: number
  /** Stable, for programs: lower-case words with hyphens. */
  code: string
  /** A short summary, the same each time. */
  title: string
}

/**
 * Thrown to refuse a request: the client gets problem details with `code` and `detail`. In a stream of your own, throw it before you
 * return the events.
 *
 * @example
 * if (!session) throw new Refusal('login-required', 'Log in first.')
 */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly status: number
  readonly code: string
  readonly title: string
  /** Additional headers of the answer, such as `Retry-After`. */
  readonly headers: Record<string, string>
  /** Additional members of the problem details, such as `issues`. */
  readonly members: Record<string, unknown>

  /** Compares by name: Next bundles routes and pages separately, so an error may be an instance of another bundle's class. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'Refusal'
  }

  /** `detail` tells the client what is wrong with this request, and how to fix it. */
  constructor(
    problem: ProblemCode | OwnProblem,
    detail: string,
    headers: Record<string, string> = {},
    members: Record<string, unknown> = {},
  ) {
    super(detail)
    const { status, code, title } =
      typeof problem === 'string' ? { ...kinds[problem], code: problem } : problem
    this.status = status
    this.code = code
    this.title = title
    this.headers = headers
    this.members = members
  }
}

/** Renders the refusal for the client, and counts it in the metrics. */
export function answerOf({ status, code, title, message, headers, members }: Refusal): Answer {
  metrics.refusals.inc({ reason: code })
  return jsonAnswer(
    status,
    { ...members, status, code, title, detail: message },
    {
      'Content-Type': 'application/problem+json',
      // Otherwise Node would read the rest of a body that is too large, in order to reuse the connection.
      ...(status === 413 && { Connection: 'close' }),
      ...headers,
    },
  )
}
