/**
 * Reads a stream with `fetch`, behind the part of EventSource's interface that a connection uses. Unlike an EventSource, it sends
 * headers of the page, knows why it was refused, and never reconnects. Only pages that ask for it load this file.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#sse-processing-model
 */
import { createParser } from 'eventsource-parser'
import type { RequestHeaders, FrameSource } from './frame-source'
import { verdictOf, type Verdict } from './verdict'

interface FetchSourceOptions {
  headers: RequestHeaders | undefined
  withCredentials: boolean
}

/** Requests `url`, which is absolute. Like an EventSource, it dispatches nothing in this turn, and nothing after `close()`. */
export function openFetchSource(url: string, options: FetchSourceOptions): FrameSource {
  const fetching = new AbortController()
  const { signal } = fetching
  const source: FrameSource = Object.assign(new EventTarget(), {
    readyState: 0,
    verdict: undefined,
    close() {
      source.readyState = 2
      fetching.abort()
    },
  })
  void read()
  return source

  async function read(): Promise<void> {
    let headers: Headers
    try {
      const given = options.headers
      headers = new Headers(await (typeof given === 'function' ? given() : given))
      headers.set('Accept', 'text/event-stream')
    } catch (cause) {
      fail(['lost', { kind: 'headers', message: 'There are no headers to send.', cause }])
      return
    }
    try {
      const response = await fetch(url, {
        headers,
        cache: 'no-store',
        credentials: options.withCredentials ? 'include' : 'same-origin',
        signal,
      })
      const verdict = await verdictOf(response, url)
      if (!verdict) {
        source.readyState = 1
        dispatch(new Event('open'))
        await deliver(response)
      }
      // Without a verdict the server has ended the response: for the connection, a loss like any other.
      fail(verdict)
    } catch (cause) {
      fail(['lost', { kind: 'unreachable', message: 'The server did not answer.', cause }])
    }
  }

  async function deliver({ body }: Response): Promise<void> {
    let lastEventId = ''
    const parser = createParser({
      onEvent({ id = lastEventId, event: type, data }) {
        lastEventId = id
        dispatch(new MessageEvent(type || 'message', { data, lastEventId }))
      },
    })
    const decoder = new TextDecoder()
    const reader = body?.getReader()
    for (;;) {
      const chunk = await reader?.read()
      if (!chunk?.value) return
      parser.feed(decoder.decode(chunk.value, { stream: true }))
    }
  }

  function fail(verdict?: Verdict): void {
    if (signal.aborted) return
    source.verdict = verdict
    dispatch(new Event('error'))
    source.close()
  }

  function dispatch(event: Event): void {
    if (!signal.aborted) source.dispatchEvent(event)
  }
}
