/** Reading topics in the app's own code: `sse.history` and `sse.read`. */
import { keyOf, type Topics } from '@/protocol/topics/define-topics'
import { readDefined } from '@/protocol/topics/read-defined'
import { isRunType } from '@/protocol/run'
import type { EventOf, TopicOf } from '@/protocol/topics/topic-types'
import { UnreadableEventError } from '@/protocol/unreadable-event'
import { processEngine } from '@/server/engine'
import { forEachInTurns } from '@/server/hub/turns/for-each-in-turns'
import { historyOf, type KeptEvents } from '@/server/hub/history'
import { ReadError, readEvents, type ReadFrom, type TopicEvent } from '@/server/hub/read-events'
import { journal } from '@/server/observe/journal'
import { untilRequest } from './request-scope'

/** `sse.history` of an app that defines no topics. */
export type History = (topics: string | readonly string[], from?: ReadFrom) => Promise<KeptEvents>

/** `sse.read` of an app that defines no topics. */
export type Read = (
  topics: string | readonly string[],
  options?: ReadFrom & WithSignal,
) => AsyncIterable<TopicEvent>

/** `sse.history` of an app that defines its topics. */
export type HistoryDefined<T extends Topics> = <const Topic extends TopicOf<T>>(
  topics: Topic | readonly Topic[],
  from?: ReadFrom & WithUnreadable,
) => Promise<
  KeptEvents<EventOf<T, Topic>> & {
    /** How many kept events are not in `events`, because they don't fit their schemas. */
    unreadable: number
  }
>

/** `sse.read` of an app that defines its topics. */
export type ReadDefined<T extends Topics> = <const Topic extends TopicOf<T>>(
  topics: Topic | readonly Topic[],
  options?: ReadFrom & WithSignal & WithUnreadable,
) => AsyncIterable<EventOf<T, Topic>>

interface WithSignal {
  /** Ends the reading. */
  signal?: AbortSignal | undefined
}

interface WithUnreadable {
  /**
   * Called for each event that does not fit its schema, for example because it was published before the schema changed. The event is left
   * out. Default: the journal has one line for each type.
   */
  onUnreadable?: ((error: UnreadableEventError, event: TopicEvent) => void) | undefined
}

export interface TopicReader<T extends Topics | undefined> {
  /**
   * Reads the kept events of the topics, oldest first, and a cursor. A stream that starts after this cursor continues without a gap.
   * Default: all kept events. With `after`, `gap` says whether some of the events in between are no longer kept. Does not check permissions: check your session first. In a page this needs a request, as Next's
   * `connection()` does: with `cacheComponents`, put the component into a `<Suspense>`. In `'use cache'` it throws.
   *
   * @throws {ReadError} the topics or the start are invalid
   * @throws {LogError} `unavailable` or `closed`
   *
   * @example
   * const { events } = await sse.history('orders', { last: 20 })
   */
  history: T extends Topics ? HistoryDefined<T> : History
  /**
   * Yields the kept events of the topics from the start on, then each new one, until `signal` aborts or the loop ends. Default start:
   * now. Does not check permissions.
   *
   * @throws {ReadError} the topics or the start are invalid
   * @throws {EventsLostError} events were removed before they were read, or the log lost events
   * @throws {LogError} `unavailable` or `closed`
   *
   * @example
   * for await (const event of sse.read('orders', { since: '1h', signal })) await handle(event)
   */
  read: T extends Topics ? ReadDefined<T> : Read
}

export function createTopicReader<T extends Topics | undefined>(
  topics: T | undefined,
): TopicReader<T> {
  const history: History = async (names, from = {}) => {
    await untilRequest()
    const { log } = await processEngine().hub()
    return await historyOf(log, names, from)
  }
  const read: Read = async function* (
    names,
    { signal = new AbortController().signal, ...from } = {},
  ) {
    const { log } = await processEngine().hub()
    yield* readEvents(log, names, from, signal)
  }
  return (
    topics ? createDefinedReader(topics, { history, read }) : { history, read }
  ) as TopicReader<T>
}

/**
 * Adds its key to each event, and makes of the text of its data what its schema makes of it. Leaves out the events that say how a run
 * stands: `runOf` knows that.
 */
function createDefinedReader<T extends Topics>(
  topics: T,
  { history, read }: TopicReader<undefined>,
): { history: HistoryDefined<T>; read: ReadDefined<T> } {
  /** Undefined when the event can't be read. */
  function open<Topic extends string>(
    event: TopicEvent,
    { onUnreadable = tellUnreadable }: WithUnreadable,
  ): EventOf<T, Topic> | undefined {
    try {
      return { ...event, ...readDefined(topics, event) } as unknown as EventOf<T, Topic>
    } catch (error) {
      if (!(error instanceof UnreadableEventError)) throw error
      onUnreadable(error, event)
      return undefined
    }
  }

  return {
    async history<Topic extends string>(
      names: string | readonly string[],
      options: ReadFrom & WithUnreadable = {},
    ) {
      checkDefined(topics, names)
      const { events: kept, ...rest } = await history(names, options)
      const events: EventOf<T, Topic>[] = []
      let unreadable = 0
      await forEachInTurns(kept, (event) => {
        if (isRunType(event.type)) return
        const opened = open<Topic>(event, options)
        if (opened) events.push(opened)
        else unreadable++
      })
      return { events, ...rest, unreadable }
    },
    async *read<Topic extends string>(
      names: string | readonly string[],
      options: ReadFrom & WithSignal & WithUnreadable = {},
    ) {
      checkDefined(topics, names)
      for await (const event of read(names, options)) {
        const opened = isRunType(event.type) ? undefined : open<Topic>(event, options)
        if (opened) yield opened
      }
    },
  }
}

/**
 * The keys of the definition that the topics belong to.
 * @throws {ReadError} `unknown-topic`
 */
export function checkDefined(topics: Topics, names: string | readonly string[]): string[] {
  return [names].flat().map((name) => {
    const key = keyOf(topics, name)
    if (key !== undefined) return key
    throw new ReadError('unknown-topic', `The topic ${JSON.stringify(name)} is not defined.`)
  })
}

const toldTypes = new Set<string>()

function tellUnreadable({ topic, type, message }: UnreadableEventError): void {
  if (toldTypes.has(type)) return
  toldTypes.add(type)
  journal.warn({ topic, type }, message)
}
