/** Publishing in the app's own code: `sse.publish`. */
import type { Topics } from '@/protocol/topics/define-topics'
import type { InputOf, TopicOf, TypeOf } from '@/protocol/topics/topic-types'
import { processEngine } from '@/server/engine'
import { publishTo, type TextEvent } from '@/server/hub/publish'
import { PublishError } from '@/server/hub/publish-error'
import { isRendering } from './is-rendering'
import type { Appended } from '@/server/log/event-log'

/** An event to publish. */
export interface NewEvent {
  /** The type that a reader listens to. Default `message`. */
  type?: string | undefined
  /** Any JSON value. The event's data is the text that `JSON.stringify` returns. */
  data: unknown
}

/** An event to publish to a defined topic. `data` is the input of the type's schema. */
export type NewEventOf<T extends Topics, Topic extends string> = {
  [Type in TypeOf<T, Topic>]: { type: Type; data: InputOf<T, Topic, Type> }
}[TypeOf<T, Topic>]

export interface PublishOptions {
  /**
   * Makes the call safe to repeat: a second call with the same key and events publishes nothing, and resolves with the same ids. A key
   * belongs to one topic, and is remembered as long as the events are kept.
   */
  idempotencyKey?: string | undefined
}

/** `sse.publish` of an app that defines no topics. */
export interface Publish {
  (topic: string, type: string, data: unknown, options?: PublishOptions): Promise<Appended>
  (topic: string, events: readonly NewEvent[], options?: PublishOptions): Promise<Appended>
}

/** `sse.publish` of an app that defines its topics. */
export interface PublishDefined<T extends Topics> {
  <const Topic extends TopicOf<T>, const Type extends TypeOf<T, Topic>>(
    topic: Topic,
    type: Type,
    data: InputOf<T, Topic, Type>,
    options?: PublishOptions,
  ): Promise<Appended>
  <const Topic extends TopicOf<T>>(
    topic: Topic,
    events: readonly NewEventOf<T, Topic>[],
    options?: PublishOptions,
  ): Promise<Appended>
}

export interface TopicPublisher<T extends Topics | undefined> {
  /**
   * Publishes one event, or several together: all of them or none. Resolves once the log has stored them. Every reader of the topic gets
   * them, including readers of other processes on the same log, and readers that connect later. Does not check permissions: check your
   * session first.
   *
   * @throws {PublishError} the topic, a type or an event can't be published
   * @throws {LogError} the log could not take them
   *
   * @example
   * await sse.publish('orders', 'order.paid', { id, amount })
   */
  publish: T extends Topics ? PublishDefined<T> : Publish
}

export function createTopicPublisher<T extends Topics | undefined>(
  topics: T | undefined,
): TopicPublisher<T> {
  const publish: Publish = async (
    topic: string,
    typeOrEvents: string | readonly NewEvent[],
    dataOrOptions?: unknown,
    ofOne?: PublishOptions,
  ) => {
    const isOne = typeof typeOrEvents === 'string'
    const events = isOne ? [{ type: typeOrEvents, data: dataOrOptions }] : typeOrEvents
    const { idempotencyKey } = (isOne ? ofOne : (dataOrOptions as PublishOptions)) ?? {}
    const engine = processEngine()
    const texts = events.map(toText)
    if (await isRendering()) throw inRender()
    const { log } = await engine.hub()
    return await publishTo(log, topic, texts, {
      topics,
      eventMaxBytes: engine.config.eventMaxBytes,
      idempotency:
        idempotencyKey === undefined
          ? undefined
          : { key: idempotencyKey, fingerprint: JSON.stringify(texts) },
    })
  }
  return { publish } as TopicPublisher<T>
}

function toText({ type = 'message', data }: NewEvent): TextEvent {
  const text = JSON.stringify(data) as string | undefined
  if (text !== undefined) return { type, data: text }
  throw new PublishError('invalid-data', 'The data of an event must be a JSON value.')
}

/** A page that publishes when it renders would render again because of the event, without end. */
function inRender(): PublishError {
  return new PublishError(
    'publish-in-render',
    'A server component must not publish while it renders. Publish in a server action or a route.',
  )
}
