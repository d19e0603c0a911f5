/**
 * A client for one event stream, without React. It reconnects when a connection is lost, resumes after the last event, and reports
 * its state. This file joins the three parts: connections receive the stream, the controller keeps it running, the store shows it.
 */
import type { Gap } from '@/protocol/gap'
import type { Connect } from './connection/connection'
import { createOwnConnections } from './connection/own-connection'
import type { RequestHeaders } from './connection/frame-source'
import { createController, type Controller } from './controller'
import {
  parseWith,
  type MessagesOnly,
  type Parser,
  type Parsers,
} from '@/client/events/event-parser'
import { createListeners } from './listeners'
import type { Reduce } from '@/client/events/reduce'
import { createStore, type StoreView } from './store'
import type { StreamError } from './stream-error'
import { initialStreamProgress, type RawEvent, type ReceivedEvent } from './stream-state'
import type { JoinStream } from './tabs/shared-stream'

/** How a stream is requested. */
export type TransportOptions =
  | {
      /** Default: the browser's EventSource. */
      transport?: undefined
      headers?: undefined
    }
  | {
      /**
       * Reads with `fetch`, which can send headers, and tells why it was refused without a second request. Such a stream is not shared
       * between tabs: its headers belong to one page. The script for it is loaded when the stream is opened.
       */
      transport: 'fetch'
      /** Sent with the request. A function is called at every attempt, for example to get a new token. The newest ones are used. */
      headers?: RequestHeaders | undefined
    }

export type EventSourceClientOptions<
  P extends Parsers = MessagesOnly,
  Reduced = undefined,
> = TransportOptions & {
  /** A function is called at every attempt, for example to get a new token. */
  url: string | (() => string | Promise<string>)
  /** Sends cookies to another origin. Default false. */
  withCredentials?: boolean | undefined
  /** The event types to listen to besides `message`, each with a parser. A browser delivers no other types. `String` keeps the text. */
  types?: P | undefined
  /** The query parameter in which the cursor is sent. Servers that are not ours may have another name for it. Default `lastEventId`. */
  cursorParam?: string | undefined
  /** The cursor that the first `open()` resumes from. */
  initialLastEventId?: string | undefined
  /** The key of the reader that the first `open()` continues as, from an earlier answer. Default: the reader that the server names. */
  initialReader?: string | undefined
  /**
   * The events that the page has already, oldest first. `events` begins with them, `onEvent` does not hear of them, and they are not
   * `received`. Pass the cursor after the last one as `initialLastEventId`.
   */
  initialEvents?: readonly RawEvent[] | undefined
  /** What the initial events may lack before the first of them: `gaps` begins with it. */
  initialGap?: Gap | undefined
  /** Why the server will refuse the stream, from an earlier answer. The stream is `failed` until `open()`. */
  initialError?: StreamError | undefined
  /** Folds the events into the value `reduced`. */
  reduce?: Reduce<ReceivedEvent<P>, Reduced> | undefined
  /** The maximum length of `events`. Default 1,000. */
  maxEvents?: number | undefined
  /** Gives up after this many failed attempts. Default: never. */
  maxAttempts?: number | undefined
  /** How long an answer may take, in milliseconds. Default 15,000. */
  connectTimeoutMs?: number | undefined
  /**
   * Reads through one connection for all tabs: joinSharedStream of join-shared-stream.ts. A stream that can't be shared, for example
   * with a function as `url` or with `transport: 'fetch'`, gets its own connection. Default: shares nothing.
   */
  join?: JoinStream | undefined
}

export interface EventSourceClient<
  P extends Parsers = MessagesOnly,
  Reduced = undefined,
> extends StoreView<P, Reduced> {
  /**
   * Calls `listener` when the server says that the page has another reader, for example because another user has signed in. At that
   * point, the stream of an anonymous page has started over with an empty list. Any other stream is `failed` until `open()`.
   */
  onReaderChange: (listener: () => void) => () => void
  /** Calls `listener` with every error, even when the client recovers by itself. */
  onError: (listener: (error: StreamError) => void) => () => void
  /**
   * Opens the stream after the last received event or, with `from: 'start'`, without a cursor. Does nothing while the stream is live.
   * Sends the request one microtask later, so that a `close()` in the same turn prevents it.
   */
  open: Controller['open']
  /** Closes the stream at once. Only `open()` opens it again. */
  close: () => void
  /** Like `close`, but the status is `idle`: the page does not need the stream. */
  disable: () => void
  /** Reconnects now, if the stream is waiting. If it is open, checks that the connection is alive. */
  reconnect: () => void
  /** Sets the URL and the headers for the next attempt, and the parsers of known types and the reducer for the next event. */
  use: (
    newer: Pick<EventSourceClientOptions<P, Reduced>, 'url' | 'headers' | 'types' | 'reduce'>,
  ) => void
}

/**
 * Creates the client. Sends no request before `open()`.
 * @throws {TypeError} there are `headers`, but not `transport: 'fetch'`
 */
export function createEventSourceClient<P extends Parsers = MessagesOnly, Reduced = undefined>(
  options: EventSourceClientOptions<P, Reduced>,
): EventSourceClient<P, Reduced> {
  const { join, transport, maxEvents = 1_000, maxAttempts } = options
  const {
    withCredentials = false,
    connectTimeoutMs = 15_000,
    cursorParam = 'lastEventId',
  } = options
  let { url, headers, reduce } = options
  if (headers && !transport) throw new TypeError("`headers` needs `transport: 'fetch'`")
  const types = new Map<string, Parser>([['message', String]])
  const takeParsers = (newer: P | undefined): void => {
    for (const [type, parser] of Object.entries<Parser>(newer ?? {})) types.set(type, parser)
  }
  takeParsers(options.types)
  const errors = createListeners<StreamError>()
  /** Errors of the initial events, until there can be a listener. */
  let earlyErrors: StreamError[] | undefined = []
  const tellError = (error: StreamError): void => {
    if (earlyErrors) earlyErrors.push(error)
    else errors.tell(error)
  }
  const readerChanges = createListeners<void>()

  const common = { types, withCredentials, connectTimeoutMs, cursorParam }
  const connectAlone = createOwnConnections({
    ...common,
    url: () => (typeof url === 'string' ? url : url()),
    fetchHeaders: transport && (() => headers),
  })
  const connect: Connect = async (attempt) => {
    try {
      if (join && !transport && typeof url === 'string') {
        return await join({ ...attempt, ...common, url, maxEvents, maxAttempts })
      }
    } catch {
      // The reason does not matter: the stream can't be shared, so it gets its own connection.
    }
    return connectAlone(attempt)
  }

  const {
    initialLastEventId,
    initialReader,
    initialEvents = [],
    initialError,
    initialGap,
  } = options
  const progress = initialStreamProgress(initialLastEventId, initialReader, initialError)
  const { view, sink } = createStore<P, Reduced>({
    initialEvents,
    initialGap,
    maxEvents,
    progress,
    parse: (type, data) => parseWith(types.get(type) ?? String, data),
    reduce: () => reduce,
    onFailure: (message, event, cause) => tellError({ kind: 'event', message, event, cause }),
  })
  const controller = createController({
    connect,
    progress,
    sink: { ...sink, error: tellError, readerChanged: readerChanges.tell },
    maxAttempts,
  })

  return {
    ...view,
    ...controller,
    open(from) {
      const early = earlyErrors ?? []
      earlyErrors = undefined
      controller.open(from)
      for (const error of early) errors.tell(error)
    },
    onReaderChange: readerChanges.add,
    onError: errors.add,
    use(newer) {
      ;({ url, headers, reduce } = newer)
      takeParsers(newer.types)
    },
  }
}
