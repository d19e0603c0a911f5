/**
 * Parsers that behave like other clients after a broken connection. The standard forgets an incomplete frame and counts an id only together
 * with its event; these clients don't. They are not installed here, so the parsers stand in for them.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */

export interface ForeignHabits {
  /** Whether an id counts as soon as its line is complete, before its event is. */
  countsIdEarly: boolean
  /** What the next connection keeps of an incomplete frame. */
  keeps: 'nothing' | 'whole lines' | 'everything'
}

/** By client. `extended-eventsource` behaves like `@microsoft/fetch-event-source`. */
export const habitsOf = {
  '@microsoft/fetch-event-source': { countsIdEarly: true, keeps: 'nothing' },
  'eventsource 2': { countsIdEarly: true, keeps: 'whole lines' },
  'the EventSource of WebKit': { countsIdEarly: false, keeps: 'everything' },
} satisfies Record<string, ForeignHabits>

export interface ForeignEvent {
  type: string
  data: string
  lastEventId: string
}

export interface ForeignReader {
  readonly events: readonly ForeignEvent[]
  /** The id it sends when it reconnects. */
  readonly lastEventId: string
  feed(text: string): void
  /** The connection broke. */
  cut(): void
}

export function createForeignReader({ countsIdEarly, keeps }: ForeignHabits): ForeignReader {
  const events: ForeignEvent[] = []
  let lastEventId = ''
  let line = ''
  let id = ''
  let type = ''
  let data: string[] = []

  function dispatch(): void {
    lastEventId = id
    if (data.length > 0)
      events.push({ type: type || 'message', data: data.join('\n'), lastEventId })
    type = ''
    data = []
  }

  function parse(text: string): void {
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(text) ?? []
    if (text === '') dispatch()
    else if (field === 'event') type = value
    else if (field === 'data') data.push(value)
    else if (field === 'id') {
      id = value
      if (countsIdEarly) lastEventId = id
    }
  }

  return {
    events,
    get lastEventId() {
      return lastEventId
    },
    feed(text) {
      const [first = '', ...others] = text.split('\n')
      line += first
      for (const next of others) {
        parse(line)
        line = next
      }
    },
    cut() {
      if (keeps === 'everything') return
      line = ''
      if (keeps === 'whole lines') return
      type = ''
      data = []
    },
  }
}
