/** `GET /events`: the greeting stream, resumed after the cursor presented. */
import { formatCursor } from '@/protocol/cursor'
import { sendDirectly } from '@/server/node/direct-lane'
import { feedOf } from '@/server/stream/feed-of'
import { readPresentedCursor } from '@/server/routes/presented-cursor'
import { problemResponse } from '@/server/problem'
import { comeBackResponse, headOf, streamResponse } from '@/server/stream/stream-response'
import { streamSettings } from '@/server/config'
import { answerOptions, openStreamOf, shared } from './guard'
import { greetings, greetingsAfter, greetingsEpoch } from './greetings'

export function GET(request: Request): Response {
  return sendDirectly(shared(request, greet(request)))
}

/** Next's own HEAD would run GET and never read its body. */
export function HEAD(request: Request): Promise<Response> {
  return headOf(shared(request, greet(request)))
}

export function OPTIONS(request: Request): Response {
  return answerOptions(request, 'GET, HEAD, OPTIONS')
}

function greet(request: Request): Response {
  const presented = readPresentedCursor(request)
  if ('problem' in presented) return problemResponse(presented.problem)

  const { cursor } = presented
  const resumed = cursor?.epoch === greetingsEpoch && cursor.offset <= greetings.length
  const offset = resumed ? cursor.offset : 0
  if (offset === greetings.length) {
    return new Response(null, { status: 204, headers: { 'Cache-Control': 'no-store' } })
  }
  const { retryMs, ...settings } = streamSettings()
  const onEnd = openStreamOf(request)
  if (!onEnd) {
    return comeBackResponse('too-many-streams', { retryMs, lastEventId: cursor?.text ?? '' })
  }
  const feed = feedOf((signal) => greetingsAfter(offset, signal), {
    cursor: formatCursor({ epoch: greetingsEpoch, offset }),
    resumed,
  })
  return streamResponse(feed, { signal: request.signal, retryMs, onEnd, ...settings })
}
