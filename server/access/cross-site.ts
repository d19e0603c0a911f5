/**
 * Tells a request that a browser sends on behalf of another site. Nobody but browsers can be led to send one, and they say where
 * it comes from: a request that says nothing is no browser's.
 * @see https://www.w3.org/TR/fetch-metadata/
 */
import type { RequestHead } from '@/server/sse-request'

/**
 * True for a page of any other origin; one of the same site, such as another subdomain, counts as foreign too.
 * Browsers leave out `Sec-Fetch-Site` on plain HTTP and older ones know it not; there `Origin` must name the request's own host.
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
  // By the origin's own scheme, because a proxy may have taken TLS off, and because it decides which port goes without saying.
  const own = `${protocol}//${host}`
  return originHost !== '' && URL.canParse(own) && new URL(own).host === originHost
}
