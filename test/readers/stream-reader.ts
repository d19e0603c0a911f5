/** A stream reader with its own socket and the rules of a native EventSource: only a complete frame moves its cursor. */
import { get as getOverHttp, type IncomingMessage } from 'node:http'
import { get as getOverHttps } from 'node:https'
import { createParser } from 'eventsource-parser'

export interface ReadEvent {
  id: string | undefined
  type: string
  data: string
}

export interface StreamReader {
  /** Every event so far, control events included, over all connections. */
  readonly events: readonly ReadEvent[]
  /** The id of the last complete frame that had one. */
  readonly lastEventId: string
  /**
   * Connects, sending the cursor if there is one. Resolves when the connection has ended on either side.
   * @throws when the server answers with a status other than 200
   */
  connect(url: string): Promise<void>
  /** Resolves with the first event, past or future, that passes `check`; rejects after `timeoutMs`. */
  until(check: (event: ReadEvent) => boolean, timeoutMs?: number): Promise<ReadEvent>
  /** Stops reading from the socket, until `resume`. */
  pause: () => void
  resume: () => void
  /** Breaks the connection. */
  disconnect: () => void
}

export interface StreamReaderOptions {
  lastEventId?: string
  /** Sent with every request. */
  headers?: Record<string, string>
  /** Called with every event as it arrives. */
  onEvent?: (event: ReadEvent) => void
  /** Reads at most this many bytes a second. Default: no limit. */
  bytesPerSecond?: number
}

export function createStreamReader({
  lastEventId = '',
  headers: ownHeaders,
  onEvent,
  bytesPerSecond,
}: StreamReaderOptions = {}): StreamReader {
  const events: ReadEvent[] = []
  const waiting = new Set<() => void>()
  let cursor = lastEventId
  let response: IncomingMessage | undefined
  let disconnect = (): void => {}

  function take(event: ReadEvent): void {
    if (event.id !== undefined) cursor = event.id
    events.push(event)
    onEvent?.(event)
    for (const check of waiting) check()
  }

  return {
    events,
    get lastEventId() {
      return cursor
    },
    connect(url) {
      return new Promise((resolve, reject) => {
        const parser = createParser({
          onEvent: ({ id, event = 'message', data }) => take({ id, type: event, data }),
        })
        const headers = { ...ownHeaders, ...(cursor !== '' && { 'last-event-id': cursor }) }
        const get = url.startsWith('https:') ? getOverHttps : getOverHttp
        // The tests' proxies have self-signed certificates.
        const options = { headers, agent: false, rejectUnauthorized: false }
        const request = get(url, options, (answer) => {
          response = answer
          if (answer.statusCode !== 200) {
            request.destroy()
            reject(new Error(`${url} answered ${answer.statusCode}`))
            return
          }
          const decoder = new TextDecoder()
          answer.on('data', (chunk: Buffer) => {
            parser.feed(decoder.decode(chunk, { stream: true }))
            if (bytesPerSecond === undefined) return
            answer.pause()
            setTimeout(() => answer.resume(), (chunk.length / bytesPerSecond) * 1_000)
          })
        })
        disconnect = () => request.destroy()
        // A broken connection counts as ended.
        request.on('error', () => {})
        request.on('close', resolve)
      })
    },
    until(check, timeoutMs = 15_000) {
      return new Promise((resolve, reject) => {
        let seen = 0
        const look = (): void => {
          for (; seen < events.length; seen++) {
            const event = events[seen]
            if (event && check(event)) {
              finish()
              resolve(event)
              return
            }
          }
        }
        const timer = setTimeout(() => {
          finish()
          reject(new Error(`No such event among ${events.length} within ${timeoutMs} ms.`))
        }, timeoutMs)
        const finish = (): void => {
          clearTimeout(timer)
          waiting.delete(look)
        }
        waiting.add(look)
        look()
      })
    },
    pause: () => response?.pause(),
    resume: () => response?.resume(),
    disconnect: () => disconnect(),
  }
}
