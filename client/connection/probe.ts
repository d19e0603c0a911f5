/** Sends one request to learn why a stream was refused, because an EventSource does not expose the status. */
import type { StreamError } from '@/client/stream-error'
import { verdictOf, type Verdict } from './verdict'

export const noAnswer = 'The server did not answer.'

/** The error before the reason is known. */
export const refusedAtFirst: StreamError = {
  kind: 'refused',
  message: 'The server refused the stream.',
}

/**
 * Asks for `url`, which is absolute, as an EventSource does, and reads no stream. Never rejects: without an answer, or when `asking`
 * is aborted, the stream counts as lost.
 */
export async function probe(
  url: string,
  withCredentials: boolean,
  asking: AbortController,
): Promise<Verdict> {
  try {
    const response = await fetch(url, {
      headers: { Accept: 'text/event-stream' },
      cache: 'no-store',
      credentials: withCredentials ? 'include' : 'same-origin',
      signal: asking.signal,
    })
    // The server may answer with a stream this time.
    return (await verdictOf(response, url)) ?? ['lost', refusedAtFirst]
  } catch (cause) {
    // No answer, or one that a page of this origin may not see.
    return ['lost', { kind: 'unreachable', message: noAnswer, cause }]
  } finally {
    asking.abort()
  }
}
