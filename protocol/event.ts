/**
 * One server-sent event and its text on the wire. Pure: no stream, no clock.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */

export interface ServerSentEvent {
  /** Becomes `lastEventId` in the browser, which sends it when it reconnects. When left out, the browser keeps the previous id. */
  id?: string | undefined
  /** The DOM event type; `message` when left out. */
  type?: string | undefined
  /** Any string. Line ends arrive as LF, lone surrogates as U+FFFD: the format has no other way to carry them. */
  data: string
  /** How long the browser waits before it reconnects by itself, in milliseconds. */
  retryMs?: number | undefined
}

/** An event as it is published. */
export interface NewEvent {
  type: string
  data: string
}

/** An event as it is stored in a log. */
export interface StoredEvent extends NewEvent {
  topic: string
  /** The name of the term in which the event was appended. Epoch and offset together are the event's id. */
  epoch: string
  /** Counts all events of the log, across topics. */
  offset: number
  /** When the event was appended: milliseconds since the Unix epoch. */
  time: number
}

export class InvalidEventError extends Error {
  override name = 'InvalidEventError'
  readonly code: 'invalid-id' | 'invalid-type' | 'invalid-retry' | 'reserved-type'

  constructor(code: InvalidEventError['code'], message: string) {
    super(message)
    this.code = code
  }
}

const publishableType = /^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,127}$/

/**
 * Encodes the event as one frame. Refuses an `id` or `type` that could forge a field or a frame. It does not repair them: a silently
 * changed cursor or type would be worse than an error.
 *
 * The id comes last, because some clients store the id as soon as its line is complete. If the connection broke after that line but
 * before the data, they would miss the event.
 * @throws {InvalidEventError} `id` or `type` contains CR, LF or NUL, or `retryMs` is not a non-negative integer
 */
export function encodeEvent({ id, type, data, retryMs }: ServerSentEvent): string {
  let frame = ''
  if (type !== undefined && type !== '' && type !== 'message') {
    if (hasForbiddenCharacter(type)) {
      throw new InvalidEventError('invalid-type', 'An event type must not contain CR, LF or NUL.')
    }
    frame += `event: ${type}\n`
  }
  if (retryMs !== undefined) {
    if (!Number.isSafeInteger(retryMs) || retryMs < 0) {
      throw new InvalidEventError('invalid-retry', 'retryMs must be a non-negative integer.')
    }
    frame += `retry: ${retryMs}\n`
  }
  if (!hasLineEnd(data)) frame += `data: ${data}\n`
  else for (const line of data.split(/\r\n|\r|\n/)) frame += `data: ${line}\n`
  if (id === undefined) return `${frame}\n`
  if (hasForbiddenCharacter(id)) {
    throw new InvalidEventError('invalid-id', 'An event id must not contain CR, LF or NUL.')
  }
  return `${frame}id: ${id}\n\n`
}

/**
 * True when `type` matches `[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,127}`. The format itself allows more, but publishers must keep to this
 * grammar. Reserved types match it too.
 */
export function isPublishableType(type: string): boolean {
  return publishableType.test(type)
}

function hasForbiddenCharacter(value: string): boolean {
  return hasLineEnd(value) || value.includes('\0')
}

function hasLineEnd(value: string): boolean {
  return value.includes('\n') || value.includes('\r')
}
