/**
 * Sends one request to learn why a stream was refused, because an EventSource does not expose the status. Only pages whose stream was
 * refused load this file.
 */
import { verdictOf, type Verdict } from './verdict'

/**
 * Asks for `url`, which is absolute, as an EventSource does, and reads no stream. Undefined when the server answers with a stream this
 * time. Rejects when there is no answer, or none that a page of this origin may see.
 */
export async function probe(
  url: string,
  withCredentials: boolean,
  asking: AbortController,
): Promise<Verdict | undefined> {
  const response = await fetch(url, {
    headers: { Accept: 'text/event-stream' },
    cache: 'no-store',
    credentials: withCredentials ? 'include' : 'same-origin',
    signal: asking.signal,
  })
  return verdictOf(response, url)
}
