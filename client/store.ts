/**
 * What a page shows of a stream: the newest events, the gaps between them, and how the stream stands, as one snapshot that changes at
 * the pace of the screen. Knows nothing of connections; it is told what came.
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
  /** How the stream stands: the same object always, read at each update. */
  progress: Readonly<StreamProgress>
  /** What the page makes of an event's text. */
  parse: (type: string, data: string) => unknown
  /** Called in place of `onEvent` for an event that `parse` throws at. */
  onUnreadable: (type: string, cause: unknown) => void
}

export interface Store<P extends Parsers = MessagesOnly> {
  /** What a page asks of it. */
  view: StoreView<P>
  /** What a controller tells it. */
  sink: Pick<Sink, 'show' | 'event' | 'gap' | 'begin'>
}

export interface StoreView<P extends Parsers = MessagesOnly> {
  getState: () => StreamState<P>
  /** Calls `listener` after every change of state; returns the undo, as do all that take a listener. */
  subscribe: (listener: () => void) => () => void
  /** Calls `listener` with every event as it arrives. */
  onEvent: (listener: (event: ReceivedEvent<P>) => void) => () => void
  /** Calls `listener` when the server could not go on where it was asked to. */
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
