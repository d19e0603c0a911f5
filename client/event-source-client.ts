/**
 * A client for one event stream, without React. It asks again when a connection is lost, goes on where it was, and says what it does.
 * Here its three parts meet: connections bring the stream, the controller keeps it going, the store shows it.
 */
import type { Connect } from './connection/connection'
import { createOwnConnections } from './connection/own-connection'
import { createController, type Controller } from './controller'
import { parseWith, type MessagesOnly, type Parser, type Parsers } from './event-parser'
import { createListeners } from './listeners'
import { createStore, type StoreView } from './store'
import type { StreamError } from './stream-error'
import { initialStreamProgress } from './stream-state'
import type { JoinStream } from './tabs/shared-stream'

export interface EventSourceClientOptions<P extends Parsers = MessagesOnly> {
  /** A function is called at every attempt, for a fresh token, say. */
  url: string | (() => string | Promise<string>)
  /** Sends cookies to another origin. Default false. */
  withCredentials?: boolean | undefined
  /** The event types to listen to besides `message`, each with a parser of its data: a browser delivers no others. `String` takes the text. */
  types?: P | undefined
  /** The cursor that the first `open()` resumes from. */
  initialLastEventId?: string | undefined
  /** The reader that the first `open()` goes on as: a key that the server told. Default: the one that the server names. */
  initialReader?: string | undefined
  /** How many events `events` holds. Default 1,000. */
  maxEvents?: number | undefined
  /** Gives up after this many failed attempts. Default: never. */
  maxAttempts?: number | undefined
  /** How long an answer may take, in milliseconds. Default 15,000. */
  connectTimeoutMs?: number | undefined
  /**
   * Reads through one connection of all tabs: joinSharedStream of join-shared-stream.ts. What can't be shared, for example a function
   * as `url`, gets a connection of its own. Default: shares nothing.
   */
  join?: JoinStream | undefined
}

export interface EventSourceClient<P extends Parsers = MessagesOnly> extends StoreView<P> {
  /**
   * Calls `listener` when the server takes the page for another reader's, because another user has signed in, say. By then a stream of an
   * anonymous page has started over, with an empty list; any other is `failed`, and reads nothing more before `open()`.
   */
  onReaderChange: (listener: () => void) => () => void
  /** Calls `listener` with whatever goes wrong, even if the client mends it later. */
  onError: (listener: (error: StreamError) => void) => () => void
  /**
   * Opens the stream, after the last event received or, `from: 'start'`, without a cursor. Does nothing while it is live.
   * Asks the network one microtask later, so that a `close()` in the same turn makes no request.
   */
  open: Controller['open']
  /** Closes the stream at once; nothing but `open()` revives it. */
  close: () => void
  /** As `close`, but for a stream that the page does not want any more: `idle`. */
  disable: () => void
  /** Asks again now, if the stream is waiting to. If it is open, makes sure that it is not dead. */
  reconnect: () => void
  /** Takes another URL for the next attempt, and other parsers, of types listened to already, for the next event. */
  use: (newer: Pick<EventSourceClientOptions<P>, 'url' | 'types'>) => void
}

/** Makes the client; asks nothing of the network before `open()`. */
export function createEventSourceClient<P extends Parsers = MessagesOnly>(
  options: EventSourceClientOptions<P>,
): EventSourceClient<P> {
  const { join, maxEvents = 1_000, maxAttempts } = options
  const { withCredentials = false, connectTimeoutMs = 15_000 } = options
  let { url } = options
  const types = new Map<string, Parser>([['message', String]])
  const takeParsers = (newer: P | undefined): void => {
    for (const [type, parser] of Object.entries<Parser>(newer ?? {})) types.set(type, parser)
  }
  takeParsers(options.types)
  const errors = createListeners<StreamError>()
  const readerChanges = createListeners<void>()

  const common = { types, withCredentials, connectTimeoutMs }
  const connectAlone = createOwnConnections({
    ...common,
    url: () => (typeof url === 'string' ? url : url()),
  })
  const connect: Connect = async (attempt) => {
    try {
      if (join && typeof url === 'string') {
        return await join({ ...attempt, ...common, url, maxEvents, maxAttempts })
      }
    } catch {
      // Why does not matter: there is another way.
    }
    return connectAlone(attempt)
  }

  const progress = initialStreamProgress(options.initialLastEventId, options.initialReader)
  const { view, sink } = createStore<P>({
    maxEvents,
    progress,
    parse: (type, data) => parseWith(types.get(type) ?? String, data),
    onUnreadable(type, cause) {
      const message = `An event of type ${type} could not be parsed.`
      errors.tell({ kind: 'event', message, cause })
    },
  })
  const controller = createController({
    connect,
    progress,
    sink: { ...sink, error: errors.tell, readerChanged: readerChanges.tell },
    maxAttempts,
  })

  return {
    ...view,
    ...controller,
    onReaderChange: readerChanges.add,
    onError: errors.add,
    use(newer) {
      ;({ url } = newer)
      takeParsers(newer.types)
    },
  }
}
