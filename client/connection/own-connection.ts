/**
 * A connection that is not shared, using the browser's EventSource. It never lets the EventSource reconnect by itself, notices
 * silence, and sends a second request to learn why the first was refused.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#the-eventsource-interface
 */
import type { StreamError } from '@/client/stream-error'
import type { Attempt, Connect, Connection } from './connection'
import { createFrameReader, type KnownServer, type Read } from './frame-reader'
import { probe } from './probe'
import { createServerClock } from './server-clock'
import { createSilenceWatch } from './silence-watch'
import { streamUrl } from './stream-url'

export interface OwnConnectionOptions {
  /** Called for every attempt. */
  url: () => string | Promise<string>
  withCredentials: boolean
  /** The event types to listen to. */
  types: { has: (type: string) => boolean; keys: () => Iterable<string> }
  /** How long an answer may take, in milliseconds. */
  connectTimeoutMs: number
}

const silentAfterHeartbeats = 2.5

/** Remembers the server's clock and heartbeat from one attempt to the next. */
export function createOwnConnections(options: OwnConnectionOptions): Connect {
  const server: KnownServer = { clock: createServerClock(), heartbeatMs: undefined }
  return (attempt) => openConnection(options, server, attempt)
}

function openConnection(
  { url: currentUrl, types, withCredentials, connectTimeoutMs }: OwnConnectionOptions,
  server: KnownServer,
  { cursor, reader, signal, tell }: Attempt,
): Connection {
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let isOpen = false
  const asking = new AbortController()
  const lose = (kind: StreamError['kind'], message: string, cause?: unknown): void =>
    tell('lost', { kind, message, cause })
  const silence = createSilenceWatch((limitMs) =>
    lose('silent', `Nothing came for ${Math.round(limitMs / 1_000)} s.`),
  )
  const see = (): void => {
    silence.seen()
    tell('facts', { lastSeenAt: Date.now() })
  }
  const watchSilence = (): void => {
    const { heartbeatMs } = server
    if (heartbeatMs !== undefined) silence.start(silentAfterHeartbeats * heartbeatMs)
  }
  const frames = createFrameReader(cursor, server, tell, watchSilence)
  signal.addEventListener('abort', () => {
    clearTimeout(timer)
    silence.stop()
    source?.close()
    asking.abort()
  })
  void open()
  return silence

  async function open(): Promise<void> {
    if (signal.aborted) return
    const message = `No answer within ${connectTimeoutMs} ms.`
    timer = setTimeout(() => lose('unreachable', message), connectTimeoutMs)
    let url: string
    try {
      url = await currentUrl()
    } catch (cause) {
      lose('url', 'There is no URL to open.', cause)
      return
    }
    if (signal.aborted) return
    try {
      url = streamUrl(url, { lastEventId: cursor, reader })
      source = new EventSource(url, { withCredentials })
    } catch (cause) {
      tell('refused', { kind: 'url', message: `${url} is not a URL.`, cause })
      return
    }
    listenTo(source, url)
  }

  function listenTo(to: EventSource, url: string): void {
    /** `open` and `error` may be the EventSource's own events, or frames with these types. Only frames have `data`. */
    const listen = (type: string, react: Read, isFrame = true): void =>
      to.addEventListener(type, (event) => {
        // WebKit revives an EventSource that was closed in `pagehide`, when the reader comes back to the page.
        if (signal.aborted) to.close()
        else if ('data' in event === isFrame) {
          if (isFrame) see()
          react(event as MessageEvent<string>)
        }
      })
    const begin = (): void => {
      clearTimeout(timer)
      isOpen = true
      see()
      watchSilence()
      tell('opened')
    }
    const end = (): void => {
      // The connection broke. The browser also does this when the user leaves the page.
      if (isOpen) lose('lost', 'The connection was lost.')
      // CLOSED means that the EventSource got an answer it could not use; CONNECTING means that it got none.
      else if (to.readyState === 2) void askWhy(url)
      else lose('unreachable', 'The server did not answer.')
    }
    listen('open', begin, false)
    listen('error', end, false)
    for (const type of types.keys()) listen(type, frames.event)
    for (const [type, read] of Object.entries(frames.controls)) {
      // When the page lists a type, it is an event of the page, not a control event.
      if (!types.has(type)) listen(type, read)
    }
  }

  async function askWhy(url: string): Promise<void> {
    clearTimeout(timer)
    tell('probing', { kind: 'refused', message: 'The server refused the stream.' })
    if (signal.aborted) return
    timer = setTimeout(() => asking.abort(), connectTimeoutMs)
    tell(...(await probe(url, withCredentials, asking)))
  }
}
