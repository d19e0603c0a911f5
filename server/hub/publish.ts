/** Publishing, for code in this process and for the route alike. It authorises nothing: its callers do. */
import { isReservedType } from '@/protocol/control-events'
import { isPublishableType } from '@/protocol/event'
import { isTopic } from '@/protocol/topic'
import { config } from '@/server/config'
import type { Appended, Idempotency } from '@/server/log/event-log'
import { processHub } from '@/server/process-hub'

export interface PublishedEvent {
  /** The type that a reader listens to. Default `message`. */
  type?: string | undefined
  /** Any string; JSON by custom. */
  data: string
}

/** Nothing was published. */
export class PublishError extends Error {
  override name = 'PublishError'
  readonly code: 'invalid-topic' | 'invalid-type' | 'reserved-type' | 'event-too-large'

  constructor(code: PublishError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/**
 * Publishes one event, or several that stay together, all or none. Resolves with their ids once the log has them: readers get them, also
 * those of another process on the same log, and those who come later.
 * @throws {PublishError} the topic, a type or an event can't be published
 * @throws {LogError} the log could not take them
 *
 * @example
 * await publish('orders', { type: 'order.paid', data: JSON.stringify(order) })
 */
export async function publish(
  topic: string,
  events: PublishedEvent | readonly PublishedEvent[],
  options: { idempotency?: Idempotency | undefined } = {},
): Promise<Appended> {
  if (!isTopic(topic)) {
    throw new PublishError('invalid-topic', `${JSON.stringify(topic)} is not a topic.`)
  }
  const list = 'data' in events ? [events] : events
  if (list.length === 0) return { ids: [], replayed: false }
  const checked = list.map(({ type = 'message', data }) => {
    checkType(type)
    checkSize(data)
    // A log may keep UTF-8 only, and so does the wire.
    return { type, data: data.toWellFormed() }
  })
  return await processHub().log.append(topic, checked, options)
}

function checkType(type: string): void {
  if (isReservedType(type)) {
    throw new PublishError('reserved-type', `The event type ${type} is reserved. Choose another.`)
  }
  if (!isPublishableType(type)) {
    throw new PublishError('invalid-type', `${JSON.stringify(type)} is not an event type.`)
  }
}

function checkSize(data: string): void {
  const { eventMaxBytes } = config()
  // A character takes at most three bytes per UTF-16 unit: most events need no counting.
  if (data.length * 3 > eventMaxBytes && Buffer.byteLength(data) > eventMaxBytes) {
    throw new PublishError('event-too-large', `An event may have ${eventMaxBytes} bytes.`)
  }
}
