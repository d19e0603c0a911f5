/**
 * Parsers of clients in use that treat a broken connection otherwise than the standard, which forgets a half frame and counts an id
 * only with its event. They stand for clients that are not installed here.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */

export interface ForeignHabits {
  /** Whether an id counts as soon as its line is complete, though its event is not. */
  notesEarly: boolean
  /** What of a half frame the next connection goes on with. */
  keeps: 'nothing' | 'whole lines' | 'everything'
}

/** By the clients that have them; `extended-eventsource` does as `@microsoft/fetch-event-source`. */
export const habitsOf = {
  '@microsoft/fetch-event-source': { notesEarly: true, keeps: 'nothing' },
  'eventsource 2': { notesEarly: true, keeps: 'whole lines' },
  'the EventSource of WebKit': { notesEarly: false, keeps: 'everything' },
} satisfies Record<string, ForeignHabits>

export interface ForeignEvent {
  type: string
  data: string
  lastEventId: string
}

export interface ForeignReader {
  readonly events: readonly ForeignEvent[]
  /** What it presents when it comes back. */
  readonly lastEventId: string
  feed(text: string): void
  /** The connection broke. */
  cut(): void
}

export function createForeignReader({ notesEarly, keeps }: ForeignHabits): ForeignReader {
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
      if (notesEarly) lastEventId = id
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
