/** Publishing, for code in this process and for the route alike. It authorises nothing: its callers do. */
import { isReservedType } from '@/protocol/control-events'
import { isPublishableType } from '@/protocol/event'
import { isTopic } from '@/protocol/topic'
import type { Appended, EventLog, Idempotency } from '@/server/log/event-log'

/** An event as the log takes it. */
export interface TextEvent {
  type: string
  /** Any text; JSON by custom. */
  data: string
}

/** Nothing was published. */
export class PublishError extends Error {
  override name = 'PublishError'
  readonly code:
    | 'invalid-topic'
    | 'invalid-type'
    | 'reserved-type'
    | 'invalid-data'
    | 'event-too-large'

  /** By name: Next bundles routes and pages apart, and an error crosses from one bundle's class to another's. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'PublishError'
  }

  constructor(code: PublishError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/**
 * Appends the events, all or none, once each can be published.
 * @throws {PublishError} the topic, a type or an event can't be published
 * @throws {LogError} the log could not take them
 */
export async function publishTo(
  log: Pick<EventLog, 'append'>,
  topic: string,
  events: readonly TextEvent[],
  { eventMaxBytes, idempotency }: { eventMaxBytes: number; idempotency?: Idempotency | undefined },
): Promise<Appended> {
  if (!isTopic(topic)) {
    throw new PublishError('invalid-topic', `${JSON.stringify(topic)} is not a topic.`)
  }
  if (events.length === 0) return { ids: [], replayed: false }
  const checked = events.map(({ type, data }) => {
    checkType(type)
    checkSize(data, eventMaxBytes)
    // A log may keep UTF-8 only, and so does the wire.
    return { type, data: data.toWellFormed() }
  })
  return await log.append(topic, checked, { idempotency })
}

function checkType(type: string): void {
  if (isReservedType(type)) {
    throw new PublishError('reserved-type', `The event type ${type} is reserved. Choose another.`)
  }
  if (!isPublishableType(type)) {
    throw new PublishError('invalid-type', `${JSON.stringify(type)} is not an event type.`)
  }
}

function checkSize(data: string, eventMaxBytes: number): void {
  // A character takes at most three bytes per UTF-16 unit: most events need no counting.
  if (data.length * 3 > eventMaxBytes && Buffer.byteLength(data) > eventMaxBytes) {
    throw new PublishError('event-too-large', `An event may have ${eventMaxBytes} bytes.`)
  }
}
