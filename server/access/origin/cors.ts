/**
 * CORS: pages of the listed origins may do the same as our own pages, with cookies. Pages of all other origins may do nothing.
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
import { emptyAnswer, type Answer } from '@/server/answer'
import type { RequestHead } from '@/server/sse/sse-request'

/** How long a browser may cache a preflight, in seconds: Chromium's maximum. */
const preflightMaxAgeS = 7_200

/** The origin that sent the request, if it is one of `origins`. */
export function allowedOrigin(
  { headers }: RequestHead,
  origins: readonly string[],
): string | undefined {
  const origin = headers.get('origin')
  return origin !== null && origins.includes(origin) ? origin : undefined
}

/** Adds the headers that let the requesting page read the answer, if its origin is one of `origins`. Changes and returns `answer`. */
export function withCors(origins: readonly string[], request: RequestHead, answer: Answer): Answer {
  if (origins.length === 0) return answer
  const { headers } = answer
  // Set `Vary` even without an `Origin`, or a cache could give one origin the answer for another.
  const { Vary } = headers
  headers['Vary'] = Vary === undefined ? 'Origin' : `${Vary}, Origin`
  const origin = allowedOrigin(request, origins)
  if (origin === undefined) return answer
  headers['Access-Control-Allow-Origin'] = origin
  headers['Access-Control-Allow-Credentials'] = 'true'
  headers['Access-Control-Expose-Headers'] = 'Event-Reader, Idempotency-Replayed, Retry-After'
  return answer
}

/** Answers OPTIONS: lists the methods and, for a page of one of `origins`, the headers that it may send. */
export function preflightAnswer(
  origins: readonly string[],
  request: RequestHead,
  methods: string,
): Answer {
  const answer = emptyAnswer(204, { Allow: methods })
  if (allowedOrigin(request, origins) === undefined) return answer
  const { headers } = answer
  headers['Access-Control-Allow-Methods'] = methods
  headers['Access-Control-Allow-Headers'] =
    'Authorization, Content-Type, Idempotency-Key, Last-Event-ID'
  headers['Access-Control-Max-Age'] = String(preflightMaxAgeS)
  return answer
}
