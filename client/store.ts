/**
 * The state of a stream that a page shows: the newest events, the gaps between them, and the progress, as one snapshot that changes
 * at most once per animation frame. Knows nothing of connections.
 */
import type { MessagesOnly, Parsers } from '@/client/events/event-parser'
import { createEventRing } from '@/client/events/event-ring'
import type { Gap } from '@/protocol/gap'
import { createListeners } from './listeners'
import type { Reduce } from '@/client/events/reduce'
import { createRenewal } from '@/client/connection/renewal'
import type { Sink } from './sink'
import type { GapMark, RawEvent, ReceivedEvent, StreamProgress, StreamState } from './stream-state'

export interface StoreOptions<P extends Parsers, Reduced> {
  /** The events that it begins with. No listener hears of them. */
  initialEvents: readonly RawEvent[]
  /** What these may lack. */
  initialGap: Gap | undefined
  /** How many events it keeps. */
  maxEvents: number
  /** The progress of the stream: always the same object, read at each update. */
  progress: Readonly<StreamProgress>
  /** Parses the text of an event. */
  parse: (type: string, data: string) => unknown
  /** Called at each event. */
  reduce: () => Reduce<ReceivedEvent<P>, Reduced> | undefined
  /** Called when `parse` or the reducer throws for an event. */
  onFailure: (message: string, event: RawEvent, cause: unknown) => void
}

export interface Store<P extends Parsers = MessagesOnly, Reduced = undefined> {
  /** The methods for the page. */
  view: StoreView<P, Reduced>
  /** The methods for the controller. */
  sink: Pick<Sink, 'show' | 'event' | 'gap' | 'begin'>
}

export interface StoreView<P extends Parsers = MessagesOnly, Reduced = undefined> {
  getState: () => StreamState<P, Reduced>
  /** The state that the client was created with: what a server renders, and the page when it hydrates. */
  getInitialState: () => StreamState<P, Reduced>
  /** Calls `listener` after every change of state. Like all methods that take a listener, returns a function that removes it. */
  subscribe: (listener: () => void) => () => void
  /** Calls `listener` with every event as it arrives. */
  onEvent: (listener: (event: ReceivedEvent<P>) => void) => () => void
  /** Calls `listener` when the server could not resume at the requested place. */
  onGap: (listener: (gap: Gap) => void) => () => void
  /** Empties `events`, and starts `reduced` over; the connection stays as it is. */
  clear: () => void
}

export function createStore<P extends Parsers, Reduced>(
  options: StoreOptions<P, Reduced>,
): Store<P, Reduced> {
  const { initialEvents, initialGap, maxEvents, progress, parse, reduce, onFailure } = options
  const ring = createEventRing<ReceivedEvent<P>>(maxEvents)
  const changes = createListeners<void>()
  const events = createListeners<ReceivedEvent<P>>()
  const gapListeners = createListeners<Gap>()
  let gaps: readonly GapMark[] = initialGap ? [{ ...initialGap, beforeSeq: 1 }] : []
  let seq = 0
  let received = 0
  let unreadable = 0
  let reduced = reduce()?.initialState

  for (const event of initialEvents) take(event)
  const look = (): StreamState<P, Reduced> => ({
    ...progress,
    ...ring.read(),
    gaps,
    received,
    unreadable,
    reduced: reduced as Reduced,
  })
  const initialState = look()
  let state = initialState
  const show = createRenewal(() => {
    state = look()
    changes.tell()
  })

  /** Takes the event into the list and the reduced value. Returns it as the list has it, or undefined when it can't be parsed. */
  function take(raw: RawEvent): ReceivedEvent<P> | undefined {
    let data: unknown
    try {
      data = parse(raw.type, raw.data)
    } catch (cause) {
      unreadable++
      onFailure(messageOf(cause, raw.type, 'parsed'), raw, cause)
      return undefined
    }
    const event = { ...raw, seq: ++seq, data } as ReceivedEvent<P>
    ring.push(event)
    try {
      reduced = reduce()?.reducer(reduced as Reduced, event)
    } catch (cause) {
      // What a run yields is read by its reducer, which joins the parts of a value first.
      if (isUnreadable(cause)) unreadable++
      onFailure(messageOf(cause, raw.type, 'reduced'), raw, cause)
    }
    return event
  }

  function empty(): void {
    ring.clear()
    gaps = []
    unreadable = 0
    reduced = reduce()?.initialState
  }

  return {
    view: {
      getState: () => state,
      getInitialState: () => initialState,
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
        const event = take(raw)
        if (event) events.tell(event)
      },
      gap(gap) {
        if (reduce()?.onGap === 'reset') reduced = reduce()?.initialState
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

/** An UnreadableEventError knows the event's own type: on the wire, an event of a topic is a `message`. */
function messageOf(cause: unknown, type: string, toBe: 'parsed' | 'reduced'): string {
  return isUnreadable(cause) ? cause.message : `An event of type ${type} could not be ${toBe}.`
}

/** By its name, because only pages with defined topics load the class. */
function isUnreadable(cause: unknown): cause is Error {
  return cause instanceof Error && cause.name === 'UnreadableEventError'
}
