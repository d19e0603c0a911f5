/** Asks the server by one HEAD request who this browser's reader is now. */
import type { SharedStreamOptions } from './shared-stream'

/** The reader's key; undefined when the server names no readers, or does not answer in time. Never rejects. */
export async function askReader(
  { url, withCredentials, connectTimeoutMs }: SharedStreamOptions,
  asking: AbortController,
): Promise<string | undefined> {
  const timer = setTimeout(() => asking.abort(), connectTimeoutMs)
  try {
    const { headers } = await fetch(url, {
      method: 'HEAD',
      cache: 'no-store',
      credentials: withCredentials ? 'include' : 'same-origin',
      signal: asking.signal,
    })
    return headers.get('event-reader') ?? undefined
  } catch {
    return undefined
  } finally {
    clearTimeout(timer)
  }
}
