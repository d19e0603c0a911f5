/**
 * What pages of other origins may do: those on the list as much as our own, cookies included, and all others nothing.
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */

/** How long a browser may remember what a preflight said, in seconds: as long as Chromium does at most. */
const preflightMaxAgeS = 7_200

/** The origin that sent the request, if it is one of `origins`. */
export function allowedOrigin(request: Request, origins: readonly string[]): string | undefined {
  const origin = request.headers.get('origin')
  return origin !== null && origins.includes(origin) ? origin : undefined
}

/** Lets the page that asked read `response`, if its origin is one of `origins`. */
export function shareWith(
  origins: readonly string[],
  request: Request,
  response: Response,
): Response {
  if (origins.length === 0) return response
  const { headers } = response
  // Also where no origin was named, or a cache would answer one of them with what another got.
  headers.append('Vary', 'Origin')
  const origin = allowedOrigin(request, origins)
  if (origin === undefined) return response
  headers.set('Access-Control-Allow-Origin', origin)
  headers.set('Access-Control-Allow-Credentials', 'true')
  headers.set('Access-Control-Expose-Headers', 'Event-Reader, Idempotency-Replayed, Retry-After')
  return response
}

/** Answers OPTIONS: what can be asked here, and what a page of one of `origins` may ask. */
export function preflightResponse(
  origins: readonly string[],
  request: Request,
  methods: string,
): Response {
  const response = shareWith(
    origins,
    request,
    new Response(null, { status: 204, headers: { Allow: methods } }),
  )
  if (allowedOrigin(request, origins) === undefined) return response
  const { headers } = response
  headers.set('Access-Control-Allow-Methods', methods)
  headers.set(
    'Access-Control-Allow-Headers',
    'Authorization, Content-Type, Idempotency-Key, Last-Event-ID',
  )
  headers.set('Access-Control-Max-Age', String(preflightMaxAgeS))
  return response
}
