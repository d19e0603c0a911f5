/** For tests of what a client does, whatever happens and in whatever order: an EventSource and its server, as a model. */

/** A server with a log of numbered events, and the EventSources that a client has made to it. */
export const sources = {
  all: new Array<ModelSource>(),
  log: 0,
  isReachable: true,
  open: (): ModelSource[] => sources.all.filter(({ readyState }) => readyState !== 2),
  reset(): void {
    sources.all = []
    sources.log = 0
    sources.isReachable = true
  },
  publish(): void {
    sources.log++
    for (const source of sources.open()) source.catchUp()
  },
}

export class ModelSource extends EventTarget {
  readyState: 0 | 1 | 2 = 0
  private sent: number

  constructor(url: string) {
    super()
    const cursor = /lastEventId=epoch\.(\d+)/.exec(decodeURIComponent(url))?.[1]
    this.sent = Number(cursor ?? 0)
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
    this.readyState = 1
    this.dispatchEvent(new Event('open'))
    const time = Date.now()
    const cursor = `epoch.${this.sent}`
    const connected = { cursor, resumed: this.sent > 0, heartbeatMs: 15_000, time }
    this.send('connected', this.sent, JSON.stringify(connected))
    this.catchUp()
  }

  catchUp(): void {
    while (this.readyState === 1 && this.sent < sources.log) {
      this.sent++
      this.send('message', this.sent, String(this.sent))
    }
  }

  /** What was sent before, once more. */
  repeat(): void {
    if (this.readyState === 1 && this.sent > 0) this.send('message', this.sent, String(this.sent))
  }

  ping(): void {
    if (this.readyState === 1) this.send('ping', this.sent, '{}')
  }

  ask(retryMs: number): void {
    if (this.readyState === 1) this.send('reconnect', undefined, JSON.stringify({ retryMs }))
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
