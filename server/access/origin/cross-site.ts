/**
 * Detects cross-site requests. Only a browser can be tricked into sending one, and browsers send headers that name the source. So a
 * request without these headers does not come from a browser, and is not cross-site.
 * @see https://www.w3.org/TR/fetch-metadata/
 */
import { Refusal } from '@/server/refusal'
import type { RequestHead } from '@/server/sse/sse-request'
import { allowedOrigin } from './cors'

/**
 * Refuses what a page of another site asks for, unless it is of one of `origins`: the browser sends the cookies of its user along.
 * @throws {Refusal} `cross-site`
 */
export function refuseCrossSite(request: RequestHead, origins: readonly string[]): void {
  if (!isCrossSite(request) || allowedOrigin(request, origins) !== undefined) return
  throw new Refusal('cross-site', 'A page of another site may not do this.')
}

/**
 * True when a page of another origin sent the request. Another origin of the same site, such as a subdomain, counts as foreign too.
 * Browsers leave out `Sec-Fetch-Site` on plain HTTP, and older browsers never send it. Then `Origin` must match the request's `Host`.
 */
export function isCrossSite(request: RequestHead): boolean {
  const site = request.headers.get('sec-fetch-site')
  if (site !== null) return site !== 'same-origin' && site !== 'none'
  const origin = request.headers.get('origin')
  return origin !== null && !isOriginOf(request.headers.get('host'), origin)
}

function isOriginOf(host: string | null, origin: string): boolean {
  if (host === null || !URL.canParse(origin)) return false
  const { protocol, host: originHost } = new URL(origin)
  // Use the scheme of the origin: a proxy may have terminated TLS, and the scheme decides which port is the default.
  const own = `${protocol}//${host}`
  return originHost !== '' && URL.canParse(own) && new URL(own).host === originHost
}
