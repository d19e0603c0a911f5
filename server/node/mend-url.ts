/** Corrects addresses that Next would answer with a plain 500 before any route sees them. */

/** A path that can't be percent-decoded gets each stray `%` encoded, so that a route receives it as it was written, and can refuse it. */
export function mendUrl(url: string): string {
  const end = url.indexOf('?')
  const path = end === -1 ? url : url.slice(0, end)
  if (isDecodable(path)) return url
  return path.replaceAll('%', '%25') + url.slice(path.length)
}

function isDecodable(path: string): boolean {
  if (!path.includes('%')) return true
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}
