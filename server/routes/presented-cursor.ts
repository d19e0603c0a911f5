/** The place that a reader asks to resume from. */
import { parseCursor, type PresentedCursor } from '@/protocol/cursor'
import { Refusal } from '@/server/refusal'
import type { RequestHead } from '@/server/sse-request'

/**
 * The `Last-Event-ID` header, else `?lastEventId=`; undefined where neither says anything. The header wins, because the browser's own
 * reconnect refreshes it and keeps the URL.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header
 */
export function readLastEventId({ headers, url }: RequestHead): string | undefined {
  return headers.get('last-event-id') || new URL(url).searchParams.get('lastEventId') || undefined
}

/** @throws {Refusal} `invalid-cursor` */
export function readPresentedCursor(request: RequestHead): PresentedCursor | undefined {
  const text = readLastEventId(request)
  if (text === undefined) return undefined
  const cursor = parseCursor(text)
  if (cursor) return { ...cursor, text }
  throw new Refusal(
    'invalid-cursor',
    'A cursor is the id of an event of this server, such as k3f9.42.',
  )
}
