/** The values of a run, and how they become events. */
import type { NewEvent } from '@/protocol/event'
import { splitValue, type RunReason } from '@/protocol/run'
import { checkEventType } from '@/server/hub/publish'
import { PublishError } from '@/server/hub/publish-error'

/** A value of a run. */
export interface RunValue {
  /** The type that a reader listens to. Default `message`. */
  type?: string | undefined
  /** Any JSON value. The event's data is the text that `JSON.stringify` returns. */
  data: unknown
}

/** What a run may produce. */
export interface RunLimits {
  /** The largest event: a value with more bytes is split into parts. */
  eventMaxBytes: number
  /** Default 8 MiB. */
  valueMaxBytes?: number | undefined
  /** How many bytes the values of a run may have together. Default 64 MiB. */
  maxBytes?: number | undefined
  /** How many events a run may have. Default 100,000. */
  maxEvents?: number | undefined
}

/** A run has reached a limit. */
export class RunLimitError extends Error {
  override name = 'RunLimitError'
  readonly reason: Extract<RunReason, 'too-large' | 'too-long'>

  constructor(reason: RunLimitError['reason'], message: string) {
    super(message)
    this.reason = reason
  }
}

export interface EncodedValue {
  type: string
  /** The data. */
  text: string
  /** One event, or several parts. */
  events: NewEvent[]
  bytes: number
}

/** How large a value may be. */
export const valueMaxBytes = 8 * 1024 * 1024

/**
 * @throws {PublishError} the type can't be published, or the data is no JSON value
 * @throws {RunLimitError} the value is too large
 */
export function encodeValue(
  value: RunValue,
  { eventMaxBytes, valueMaxBytes: maxBytes = valueMaxBytes }: RunLimits,
): EncodedValue {
  const type = value?.type ?? 'message'
  checkEventType(type)
  const text = JSON.stringify(value.data) as string | undefined
  if (text === undefined) {
    throw new PublishError('invalid-data', 'The data of a value must be a JSON value.')
  }
  const bytes = Buffer.byteLength(text)
  if (bytes > maxBytes) {
    throw new RunLimitError(
      'too-large',
      `A value may have ${maxBytes} bytes, and this has ${bytes}.`,
    )
  }
  return { type, text, bytes, events: eventsOf(type, text, bytes, eventMaxBytes) }
}

/** One event, or the parts of a text that is too large for one. */
export function eventsOf(
  type: string,
  text: string,
  bytes: number,
  eventMaxBytes: number,
): NewEvent[] {
  if (bytes <= eventMaxBytes) return [{ type, data: text }]
  return splitValue(type, text, eventMaxBytes).map((data) => ({ type: 'run.part', data }))
}

/** Counts what a run produces. `count` throws when it has reached a limit. */
export function createRunCount({ maxBytes = 64 * 1024 * 1024, maxEvents = 100_000 }: RunLimits): {
  count: (value: Pick<EncodedValue, 'bytes' | 'events'>) => void
} {
  let bytes = 0
  let events = 0

  return {
    count(value) {
      bytes += value.bytes
      events += value.events.length
      if (bytes > maxBytes) {
        throw new RunLimitError('too-large', `A run may have ${maxBytes} bytes.`)
      }
      if (events > maxEvents) {
        throw new RunLimitError('too-long', `A run may have ${maxEvents} events.`)
      }
    },
  }
}
