/**
 * Refusals as problem details: one closed table of what can be wrong with a request, and the response that says so.
 * @see https://www.rfc-editor.org/rfc/rfc9457
 */
import { metrics } from '@/server/observe/metrics'
import { neverAPage } from './never-a-page'

const kinds = {
  // The path and the query
  'malformed-path': { status: 400, title: 'Malformed path' },
  'invalid-topic': { status: 400, title: 'Malformed topic' },
  'too-many-topics': { status: 400, title: 'Too many topics' },
  'invalid-cursor': { status: 400, title: 'Malformed cursor' },
  'invalid-query': { status: 400, title: 'Malformed query' },
  'invalid-type': { status: 422, title: 'Malformed event type' },
  'reserved-type': { status: 422, title: 'Reserved event type' },

  // The body
  'empty-body': { status: 400, title: 'Empty body' },
  'invalid-utf8': { status: 400, title: 'Body is not UTF-8' },
  'invalid-json': { status: 400, title: 'Body is not JSON' },
  'event-too-large': { status: 413, title: 'Event too large' },
  'body-too-large': { status: 413, title: 'Body too large' },
  'too-many-events': { status: 413, title: 'Too many events' },
  'unsupported-media-type': { status: 415, title: 'Unsupported media type' },

  // Who asks, and how often
  'invalid-idempotency-key': { status: 400, title: 'Malformed idempotency key' },
  'idempotency-conflict': { status: 422, title: 'Idempotency key used for another body' },
  'cross-site': { status: 403, title: 'Request from another site' },
  'token-required': { status: 401, title: 'Token required' },
  'invalid-token': { status: 401, title: 'Token does not hold' },
  'not-granted': { status: 403, title: 'Not granted by the token' },
  'reader-changed': { status: 409, title: 'Another reader now' },
  'secret-not-set': { status: 403, title: 'No token is accepted' },
  'too-many-publishes': { status: 429, title: 'Too many publishes' },

  // The server
  busy: { status: 503, title: 'Server busy' },
  unavailable: { status: 503, title: 'Server unavailable' },
} as const

/** Why a request was refused, for programs: stable, and documented in docs/protocol.md. */
export type ProblemCode = keyof typeof kinds

export interface Problem {
  status: number
  code: ProblemCode
  /** A short summary, the same for every occurrence. */
  title: string
  /** What is wrong with this request, and how to mend it. */
  detail: string
}

export function problem(code: ProblemCode, detail: string): Problem {
  return { ...kinds[code], code, detail }
}

/** The refusal itself; `headers` adds to its own, such as `Retry-After`. */
export function problemResponse(refusal: Problem, headers: Record<string, string> = {}): Response {
  metrics.refusals.inc({ reason: refusal.code })
  return Response.json(refusal, {
    status: refusal.status,
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      ...neverAPage,
      // What is left of a body that is too large would otherwise be read to its end, to use the connection again.
      ...(refusal.status === 413 && { Connection: 'close' }),
      ...headers,
    },
  })
}
