/**
 * One server-sent event and its text on the wire. Pure: no stream, no clock.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */

export interface ServerSentEvent {
  /** Becomes `lastEventId` in the browser, which presents it when it reconnects. Left out, the browser keeps the one before. */
  id?: string | undefined
  /** The DOM event type; `message` when left out. */
  type?: string | undefined
  /** Any string. Line ends arrive as LF, lone surrogates as U+FFFD: the format has no other way to carry them. */
  data: string
  /** How long the browser waits before it reconnects by itself, in milliseconds. */
  retryMs?: number | undefined
}

/** What a publisher gives to a topic. */
export interface NewEvent {
  type: string
  data: string
}

/** What a log keeps of it. */
export interface StoredEvent extends NewEvent {
  topic: string
  /** Names the term in which the log took it; with the offset it is the event's id. */
  epoch: string
  /** Counts the events of the log, whatever their topic. */
  offset: number
  /** When the log took it: milliseconds since the Unix epoch. */
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
 * The event as one frame. An `id` or `type` that could forge a field or a frame is refused, not mended:
 * a cursor or a name that was silently changed would be worse than an error.
 *
 * The id comes last: some clients take it for read as soon as its line is complete, and a connection that breaks in what follows
 * would cost them the event.
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
 * True by the grammar `[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,127}`, which a publisher's type must follow: narrower than what the wire
 * can carry. Reserved types follow it too.
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
