/** Publishing, for code in this process and for the route alike. Does not check permissions: callers do. */
import { isReservedType } from '@/protocol/control-events'
import type { Topics } from '@/protocol/topics/define-topics'
import { isPublishableType } from '@/protocol/event'
import { isRunType } from '@/protocol/run'
import { isTopic } from '@/protocol/topics/topic'
import type { Appended, EventLog, Idempotency } from '@/server/log/event-log'
import { checkEvents } from './check-events'
import { PublishError } from './publish-error'

/** An event as the log takes it. */
export interface TextEvent {
  type: string
  /** Any text; usually JSON. */
  data: string
}

export interface PublishRules {
  eventMaxBytes: number
  /** The defined topics, if the app has defined them: then no others are published. */
  topics: Topics | undefined
  idempotency?: Idempotency | undefined
}

/**
 * Checks every event, then appends all of them or none.
 * @throws {PublishError} the topic, a type or an event can't be published
 * @throws {TypeError} a schema is asynchronous
 * @throws {LogError} the log could not take them
 */
export async function publishTo(
  log: Pick<EventLog, 'append'>,
  topic: string,
  events: readonly TextEvent[],
  { eventMaxBytes, topics, idempotency }: PublishRules,
): Promise<Appended> {
  if (!isTopic(topic)) {
    throw new PublishError('invalid-topic', `${JSON.stringify(topic)} is not a topic.`)
  }
  if (events.length === 0) return { ids: [], replayed: false }
  const checked = events.map(({ type, data }) => {
    checkEventType(type)
    checkSize(data, eventMaxBytes)
    // Lone surrogates can't be encoded as UTF-8, neither by a log nor on the wire.
    return { type, data: data.toWellFormed() }
  })
  if (topics) await checkEvents(topics, topic, checked)
  return await log.append(topic, checked, { idempotency })
}

/** @throws {PublishError} `reserved-type` or `invalid-type` */
export function checkEventType(type: string): void {
  if (isReservedType(type) || isRunType(type)) {
    throw new PublishError('reserved-type', `The event type ${type} is reserved. Choose another.`)
  }
  if (!isPublishableType(type)) {
    throw new PublishError('invalid-type', `${JSON.stringify(type)} is not an event type.`)
  }
}

function checkSize(data: string, eventMaxBytes: number): void {
  // A UTF-16 unit takes at most three bytes in UTF-8, so most events are small enough without counting bytes.
  if (data.length * 3 > eventMaxBytes && Buffer.byteLength(data) > eventMaxBytes) {
    throw new PublishError('event-too-large', `An event may have ${eventMaxBytes} bytes.`)
  }
}
