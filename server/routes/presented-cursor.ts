/** The place that a reader asks to resume from. */
import { parseCursor, type Cursor } from '@/protocol/cursor'
import { problem, type Problem } from '@/server/problem'

/** The cursor as it came, and what it means. */
export interface PresentedCursor extends Cursor {
  text: string
}

/**
 * Reads the `Last-Event-ID` header, else `?lastEventId=`. The header wins, because the browser's own reconnect refreshes it and
 * keeps the URL; an empty one counts as absent.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header
 */
export function readPresentedCursor(
  request: Request,
): { cursor: PresentedCursor | undefined } | { problem: Problem } {
  const text =
    request.headers.get('last-event-id') || new URL(request.url).searchParams.get('lastEventId')
  if (!text) return { cursor: undefined }
  const cursor = parseCursor(text)
  if (cursor) return { cursor: { ...cursor, text } }
  return {
    problem: problem(
      'invalid-cursor',
      'A cursor is the id of an event of this server, such as k3f9.42.',
    ),
  }
}
