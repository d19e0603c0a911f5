/**
 * The state of a stream that a page shows: the newest events, the gaps between them, and the progress, as one snapshot that changes
 * at most once per animation frame. Knows nothing of connections.
 */
import type { MessagesOnly, Parsers } from './event-parser'
import { createEventRing } from './event-ring'
import type { Gap } from './gap'
import { createListeners } from './listeners'
import { createRenewal } from './renewal'
import type { Sink } from './sink'
import {
  type GapMark,
  type ReceivedEvent,
  type StreamProgress,
  type StreamState,
} from './stream-state'

export interface StoreOptions {
  /** How many events it keeps. */
  maxEvents: number
  /** The progress of the stream: always the same object, read at each update. */
  progress: Readonly<StreamProgress>
  /** Parses the text of an event. */
  parse: (type: string, data: string) => unknown
  /** Called in place of `onEvent` for an event that `parse` throws at. */
  onUnreadable: (type: string, cause: unknown) => void
}

export interface Store<P extends Parsers = MessagesOnly> {
  /** The methods for the page. */
  view: StoreView<P>
  /** The methods for the controller. */
  sink: Pick<Sink, 'show' | 'event' | 'gap' | 'begin'>
}

export interface StoreView<P extends Parsers = MessagesOnly> {
  getState: () => StreamState<P>
  /** Calls `listener` after every change of state. Like all methods that take a listener, returns a function that removes it. */
  subscribe: (listener: () => void) => () => void
  /** Calls `listener` with every event as it arrives. */
  onEvent: (listener: (event: ReceivedEvent<P>) => void) => () => void
  /** Calls `listener` when the server could not resume at the requested place. */
  onGap: (listener: (gap: Gap) => void) => () => void
  /** Empties `events`; the connection stays as it is. */
  clear: () => void
}

export function createStore<P extends Parsers = MessagesOnly>(options: StoreOptions): Store<P> {
  const { maxEvents, progress, parse, onUnreadable } = options
  const ring = createEventRing<ReceivedEvent<P>>(maxEvents)
  const changes = createListeners<void>()
  const events = createListeners<ReceivedEvent<P>>()
  const gapListeners = createListeners<Gap>()
  let gaps: readonly GapMark[] = []
  let seq = 0
  let received = 0

  const look = (): StreamState<P> => ({ ...progress, ...ring.read(), gaps, received })
  let state = look()
  const show = createRenewal(() => {
    state = look()
    changes.tell()
  })

  function empty(): void {
    ring.clear()
    gaps = []
  }

  return {
    view: {
      getState: () => state,
      subscribe: changes.add,
      onEvent: events.add,
      onGap: gapListeners.add,
      clear() {
        empty()
        show(true)
      },
    },
    sink: {
      show,
      event(raw) {
        received++
        show()
        let data: unknown
        try {
          data = parse(raw.type, raw.data)
        } catch (cause) {
          onUnreadable(raw.type, cause)
          return
        }
        const event = { ...raw, seq: ++seq, data } as ReceivedEvent<P>
        ring.push(event)
        events.tell(event)
      },
      gap(gap) {
        gaps = [...gaps, { ...gap, beforeSeq: seq + 1 }].slice(-maxEvents)
        show()
        gapListeners.tell(gap)
      },
      begin(isOthers) {
        received = 0
        if (isOthers) empty()
      },
    },
  }
}
