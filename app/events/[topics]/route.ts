/** `GET /events/{topics}`: one stream over 1 to 32 topics. `POST /events/{topic}`: publishing to one. */
import { isCrossSite } from '@/access/cross-site'
import { fingerprint, readIdempotencyKey } from '@/http/idempotency'
import { problem, problemResponse } from '@/http/problem'
import { readPublishedBody, UploadAbortedError } from '@/http/published-body'
import { readStreamQuery } from '@/http/stream-query'
import { comeBackResponse, headOf, streamResponse } from '@/http/stream-response'
import { config, streamSettings } from '@/hub/config'
import { LogError } from '@/hub/event-log'
import { processHub } from '@/hub/process-hub'
import { publish, PublishError } from '@/hub/publish'
import { readTopics, type TopicsContext } from './topics-in-path'

export async function GET(request: Request, context: TopicsContext): Promise<Response> {
  const path = await readTopics(context)
  if ('problem' in path) return problemResponse(path.problem)
  const query = readStreamQuery(request)
  if ('problem' in query) return problemResponse(query.problem)

  const { topics } = path
  const { start, envelope = topics.length > 1 } = query
  try {
    const feed = await processHub().subscribe({ topics, envelope, start })
    return streamResponse(feed, { signal: request.signal, ...streamSettings() })
  } catch (error) {
    if (!(error instanceof LogError)) throw error
    return comeBackResponse('unavailable', config().retryMs)
  }
}

/** Next's own HEAD would run GET and never read its body. */
export async function HEAD(request: Request, context: TopicsContext): Promise<Response> {
  return await headOf(await GET(request, context))
}

export async function POST(request: Request, context: TopicsContext): Promise<Response> {
  if (isCrossSite(request)) {
    const detail = 'A page of another site may not publish here.'
    return problemResponse(problem('cross-site', detail))
  }
  const path = await readTopics(context, 1)
  if ('problem' in path) return problemResponse(path.problem)
  const idempotency = readIdempotencyKey(request)
  if ('problem' in idempotency) return problemResponse(idempotency.problem)
  const type = new URL(request.url).searchParams.get('type') ?? 'message'

  try {
    const body = await readPublishedBody(request, { eventMaxBytes: config().eventMaxBytes })
    if ('problem' in body) return problemResponse(body.problem)

    const { key } = idempotency
    const { ids, replayed } = await publish(
      path.topics[0],
      body.data.map((data) => ({ type, data })),
      {
        idempotency: key === undefined ? undefined : { key, fingerprint: fingerprint(body, type) },
      },
    )
    const headers = replayed ? { 'Idempotency-Replayed': 'true' } : undefined
    return Response.json({ ids }, { status: 201, ...(headers && { headers }) })
  } catch (error) {
    return refusalOf(error)
  }
}

function refusalOf(error: unknown): Response {
  if (error instanceof UploadAbortedError) return new Response(null, { status: 400 })
  if (error instanceof PublishError) return problemResponse(problem(error.code, error.message))
  if (!(error instanceof LogError)) throw error
  switch (error.code) {
    case 'idempotency-conflict':
      return problemResponse(
        problem('idempotency-conflict', 'This `Idempotency-Key` came with another body before.'),
      )
    case 'busy':
      return problemResponse(problem('busy', 'Too much is being published. Try again.'), {
        'Retry-After': '1',
      })
    case 'closed':
    case 'unavailable':
      return problemResponse(problem('unavailable', 'The event log is away. Try again.'), {
        'Retry-After': '5',
      })
  }
}
