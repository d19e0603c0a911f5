/** Reads the cursor from which a reader wants to resume. */
import { parseCursor, type PresentedCursor } from '@/protocol/cursor'
import { Refusal } from '@/server/refusal'
import type { RequestHead } from '@/server/sse/sse-request'

/**
 * Reads the `Last-Event-ID` header, else `?lastEventId=`; undefined when both are missing or empty. The header wins, because a
 * browser that reconnects updates the header but keeps the URL.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header
 */
export function readLastEventId(
  { headers, url }: RequestHead,
  query = new URL(url).searchParams,
): string | undefined {
  return headers.get('last-event-id') || query.get('lastEventId') || undefined
}

/** @throws {Refusal} `invalid-cursor` */
export function readPresentedCursor(
  request: RequestHead,
  query?: URLSearchParams,
): PresentedCursor | undefined {
  const text = readLastEventId(request, query)
  if (text === undefined) return undefined
  const cursor = parseCursor(text)
  if (cursor) return { ...cursor, text }
  throw new Refusal(
    'invalid-cursor',
    'A cursor is the id of an event of this server, such as k3f9.42.',
  )
}
