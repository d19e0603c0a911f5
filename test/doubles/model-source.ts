/** A model of an EventSource, or of `fetch`, and its server, for tests of what a client does whatever happens, in whatever order. */
import { encodeEvent } from '@/protocol/event'

/** A server with a log of numbered events, and the EventSources or requests that a client has made to it. */
export const sources = {
  all: new Array<ModelSource>(),
  log: 0,
  isReachable: true,
  /** Who the server says reads; it tells no reader where there is none. */
  reader: undefined as string | undefined,
  open: (): ModelSource[] => sources.all.filter(({ readyState }) => readyState !== 2),
  reset(): void {
    sources.all = []
    sources.log = 0
    sources.isReachable = true
    sources.reader = undefined
  },
  publish(): void {
    sources.log++
    for (const source of sources.open()) source.catchUp()
  },
}

export class ModelSource extends EventTarget {
  readyState: 0 | 1 | 2 = 0
  /** Whose stream it is: who the browser was when it asked. */
  readonly reader = sources.reader
  private sent: number
  private readonly expected: string | null

  constructor(url: string) {
    super()
    const cursor = /lastEventId=epoch\.(\d+)/.exec(decodeURIComponent(url))?.[1]
    this.sent = Number(cursor ?? 0)
    this.expected = new URL(url).searchParams.get('reader')
    sources.all.push(this)
    // A browser answers at the earliest in a later turn.
    setTimeout(() => this.answer(), 20)
  }

  close(): void {
    this.readyState = 2
  }

  private answer(): void {
    if (this.readyState === 2) return
    if (!sources.isReachable) {
      this.dispatchEvent(new Event('error'))
      return
    }
    if (this.expected !== null && this.expected !== this.reader) {
      this.refuse()
      return
    }
    this.readyState = 1
    this.dispatchEvent(new Event('open'))
    const time = Date.now()
    const cursor = `epoch.${this.sent}`
    const { reader } = this
    const connected = { cursor, resumed: this.sent > 0, heartbeatMs: 15_000, time, reader }
    this.send('connected', this.sent, JSON.stringify(connected))
    this.catchUp()
  }

  catchUp(): void {
    while (this.readyState === 1 && this.sent < sources.log) {
      this.sent++
      this.send('message', this.sent, `${this.reader} ${this.sent}`)
    }
  }

  /** What was sent before, once more. */
  repeat(): void {
    if (this.readyState === 1 && this.sent > 0)
      this.send('message', this.sent, `${this.reader} ${this.sent}`)
  }

  ping(): void {
    if (this.readyState === 1) this.send('ping', this.sent, '{}')
  }

  ask(retryMs: number, reason = 'unavailable'): void {
    if (this.readyState === 1)
      this.send('reconnect', undefined, JSON.stringify({ retryMs, reason }))
  }

  lose(): void {
    if (this.readyState === 2) return
    this.readyState = 0
    this.dispatchEvent(new Event('error'))
  }

  refuse(): void {
    if (this.readyState === 2) return
    this.readyState = 2
    this.dispatchEvent(new Event('error'))
  }

  private send(type: string, offset: number | undefined, data: string): void {
    const lastEventId = offset === undefined ? `epoch.${this.sent}` : `epoch.${offset}`
    this.dispatchEvent(new MessageEvent(type, { data, lastEventId }))
  }
}

/** The same server behind `fetch`: what an EventSource would dispatch arrives as an answer, and as frames in its body. */
class ModelAnswer extends ModelSource {
  private body: ReadableStreamDefaultController<Uint8Array> | undefined
  private readonly settle: Settle

  constructor(url: string, settle: Settle) {
    super(url)
    this.settle = settle
  }

  override dispatchEvent(event: Event): boolean {
    if (event instanceof MessageEvent) this.write(event)
    else if (event.type === 'open') this.begin()
    else if (this.body || this.readyState !== 2) this.break(new TypeError('The connection broke.'))
    else this.settle.resolve(new Response(null, { status: 503 }))
    return true
  }

  /** Ends the request without an answer or, if it was answered, in the midst of the body. */
  break(cause: unknown): void {
    this.settle.reject(cause)
    this.body?.error(cause)
    this.body = undefined
  }

  private begin(): void {
    if (this.body) return
    const stream = new ReadableStream<Uint8Array>({ start: (body) => void (this.body = body) })
    this.settle.resolve(new Response(stream, { headers: { 'content-type': 'text/event-stream' } }))
  }

  private write({ type, data, lastEventId }: MessageEvent<string>): void {
    const frame = encodeEvent({ type, data, id: lastEventId || undefined })
    this.body?.enqueue(new TextEncoder().encode(frame))
  }
}

interface Settle {
  resolve: (response: Response) => void
  reject: (cause: unknown) => void
}

/** In the place of `fetch`, for a client that reads with it. */
export function fetchModel(url: string, { signal }: { signal: AbortSignal }): Promise<Response> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const answer = new ModelAnswer(url, { resolve, reject })
    signal.addEventListener('abort', () => {
      answer.close()
      answer.break(signal.reason)
    })
  })
}
