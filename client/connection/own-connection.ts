/**
 * A connection that is not shared, by the browser's EventSource or by `fetch`. It never lets an EventSource reconnect by itself,
 * notices silence, and where an EventSource was refused sends a second request to learn why.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#the-eventsource-interface
 */
import type { StreamError } from '@/client/stream-error'
import type { Attempt, Connect, Connection } from './connection'
import { createFrameReader, type KnownServer, type Read } from './frame-reader'
import { createServerClock } from './server-clock'
import { createSilenceWatch } from './silence-watch'
import type { RequestHeaders, FrameSource } from './frame-source'
import { streamUrl } from './stream-url'
import type { Verdict } from './verdict'

export interface OwnConnectionOptions {
  /** Called for every attempt. */
  url: () => string | Promise<string>
  withCredentials: boolean
  /** Reads with `fetch`, and sends these headers. Default: reads with an EventSource. */
  fetchHeaders?: (() => RequestHeaders | undefined) | undefined
  /** The query parameter for the cursor. */
  cursorParam: string
  /** The event types to listen to. */
  types: { has: (type: string) => boolean; keys: () => Iterable<string> }
  /** How long an answer may take, in milliseconds. */
  connectTimeoutMs: number
}

const silentAfterHeartbeats = 2.5
const noAnswer = 'The server did not answer.'
/** The error before the reason is known. */
const refusedAtFirst: StreamError = {
  kind: 'refused',
  message: 'The server refused the stream.',
}

/** Remembers the server's clock and heartbeat from one attempt to the next. */
export function createOwnConnections(options: OwnConnectionOptions): Connect {
  const server: KnownServer = { clock: createServerClock(), heartbeatMs: undefined }
  return (attempt) => openConnection(options, server, attempt)
}

function openConnection(
  options: OwnConnectionOptions,
  server: KnownServer,
  { cursor, reader, signal, tell }: Attempt,
): Connection {
  const { types, withCredentials, connectTimeoutMs } = options
  let source: FrameSource | undefined
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
    let create: (url: string) => FrameSource
    try {
      create = await loadSource(options)
    } catch (cause) {
      lose('unreachable', noAnswer, cause)
      return
    }
    let url: string
    try {
      url = await options.url()
    } catch (cause) {
      lose('url', 'There is no URL to open.', cause)
      return
    }
    if (signal.aborted) return
    try {
      url = streamUrl(url, { [options.cursorParam]: cursor, reader })
      source = create(url)
    } catch (cause) {
      tell('refused', { kind: 'url', message: `${url} is not a URL.`, cause })
      return
    }
    listenTo(source, url)
  }

  function listenTo(to: FrameSource, url: string): void {
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
      else if (to.verdict) tell(...to.verdict)
      // CLOSED means that the EventSource got an answer it could not use; CONNECTING means that it got none.
      else if (to.readyState === 2) void askWhy(url)
      else lose('unreachable', noAnswer)
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
    tell('probing', refusedAtFirst)
    if (signal.aborted) return
    timer = setTimeout(() => lose('unreachable', noAnswer), connectTimeoutMs)
    let verdict: Verdict | undefined
    try {
      const { probe } = await import('./probe')
      verdict = await probe(url, withCredentials, asking)
    } catch (cause) {
      verdict = ['lost', { kind: 'unreachable', message: noAnswer, cause }]
    }
    asking.abort()
    tell(...(verdict ?? ['lost', refusedAtFirst]))
  }
}

/** Returns what opens a stream. Rejects when the script that reads with `fetch` can't be loaded. */
async function loadSource({
  withCredentials,
  fetchHeaders,
}: OwnConnectionOptions): Promise<(url: string) => FrameSource> {
  if (!fetchHeaders) return (url) => new EventSource(url, { withCredentials })
  const { openFetchSource } = await import('./fetch-source')
  return (url) => openFetchSource(url, { withCredentials, headers: fetchHeaders() })
}
