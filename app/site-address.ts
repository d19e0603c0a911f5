/** This site's address as its reader knows it, the way curl takes it: `http://` is what curl assumes anyway. */
export function siteAddress(requestHeaders: Headers): string {
  const host = requestHeaders.get('host') ?? 'localhost:3000'
  const scheme = requestHeaders.get('x-forwarded-proto')?.split(',')[0]?.trim()
  return scheme === 'https' ? `https://${host}` : host
}
