/** `GET /events/{topics}`: one stream over 1 to 32 topics. `POST /events/{topic}`: publishing to one. */
import { authorizePublish, authorizeRead, type AccessRules } from '@/server/access/authorize'
import { answerOptions, isForeign, openStreamOf, shared, takePublishOf } from '@/app/events/guard'
import { sendDirectly } from '@/server/node/direct-lane'
import { fingerprint, readIdempotencyKey } from '@/server/routes/idempotency'
import { neverAPage } from '@/server/never-a-page'
import { problem, problemResponse } from '@/server/problem'
import { trackPublish } from '@/server/routes/publishes'
import { readPublishedBody, UploadAbortedError } from '@/server/routes/published-body'
import { isFromBeforeStart } from '@/server/node/response-slot'
import { readStreamQuery } from '@/server/routes/stream-query'
import { comeBackResponse, headOf, streamResponse } from '@/server/stream/stream-response'
import { processUploads } from '@/server/routes/upload-budget'
import { config, streamSettings } from '@/server/config'
import { LogError } from '@/server/log/event-log'
import { processHub } from '@/server/process-hub'
import { publish, PublishError } from '@/server/hub/publish'
import { readTopics, type TopicsContext } from './topics-in-path'

export async function GET(request: Request, context: TopicsContext): Promise<Response> {
  return sendDirectly(shared(request, await read(request, context)))
}

/** Next's own HEAD would run GET and never read its body. */
export async function HEAD(request: Request, context: TopicsContext): Promise<Response> {
  return await headOf(shared(request, await read(request, context)))
}

export async function POST(request: Request, context: TopicsContext): Promise<Response> {
  return shared(request, await trackPublish(write(request, context)))
}

export function OPTIONS(request: Request): Response {
  return answerOptions(request, 'GET, HEAD, OPTIONS, POST')
}

async function read(request: Request, context: TopicsContext): Promise<Response> {
  const path = await readTopics(context)
  if ('problem' in path) return problemResponse(path.problem)
  const query = readStreamQuery(request)
  if ('problem' in query) return problemResponse(query.problem)
  const { topics } = path
  const access = await authorizeRead(request, topics, accessRules())
  if ('problem' in access) return problemResponse(access.problem, access.headers)

  const { start, envelope = topics.length > 1 } = query
  const { expiresAtMs, reader } = access
  // A page goes on only as who it began with: else it would show one reader what was granted to another.
  if (query.reader !== undefined && query.reader !== reader) {
    const detail = 'This request has another reader than `reader` says: start over without it.'
    return problemResponse(problem('reader-changed', detail))
  }
  const lastEventId = start && 'cursor' in start ? start.cursor.text : ''
  const refusal = { retryMs: config().retryMs, lastEventId, reader }
  const onEnd = openStreamOf(request)
  if (!onEnd) return comeBackResponse('too-many-streams', refusal)
  try {
    const feed = await processHub().subscribe({ topics, envelope, start })
    const { signal } = request
    return streamResponse(feed, {
      signal,
      expiresAt: expiresAtMs,
      reader,
      onEnd,
      ...streamSettings(),
    })
  } catch (error) {
    onEnd()
    if (!(error instanceof LogError)) throw error
    return comeBackResponse('unavailable', refusal)
  }
}

async function write(request: Request, context: TopicsContext): Promise<Response> {
  if (isFromBeforeStart()) {
    const detail = 'The server has only just started. Try again.'
    return problemResponse(problem('unavailable', detail), { 'Retry-After': '1' })
  }
  if (isForeign(request)) {
    const detail = 'A page of another site may not publish here.'
    return problemResponse(problem('cross-site', detail))
  }
  const path = await readTopics(context, 1)
  if ('problem' in path) return problemResponse(path.problem)
  const [topic] = path.topics
  const access = await authorizePublish(request, topic, accessRules())
  const retryAfterS = access.token ? undefined : await takePublishOf(request)
  if (retryAfterS !== undefined) {
    const detail = `LIMIT_PUBLISH allows ${config().limitPublish} a minute without a token.`
    return problemResponse(problem('too-many-publishes', detail), {
      'Retry-After': String(retryAfterS),
    })
  }
  if ('problem' in access) return problemResponse(access.problem, access.headers)
  const idempotency = readIdempotencyKey(request)
  if ('problem' in idempotency) return problemResponse(idempotency.problem)
  const type = new URL(request.url).searchParams.get('type') ?? 'message'

  const share = processUploads().open()
  try {
    const body = await readPublishedBody(request, share, { eventMaxBytes: config().eventMaxBytes })
    if ('problem' in body) return problemResponse(body.problem, body.headers)

    const key = keyOf(idempotency.key, access.token?.subject)
    const { ids, replayed } = await publish(
      topic,
      body.data.map((data) => ({ type, data })),
      {
        idempotency: key === undefined ? undefined : { key, fingerprint: fingerprint(body, type) },
      },
    )
    const headers = { ...neverAPage, ...(replayed && { 'Idempotency-Replayed': 'true' }) }
    return Response.json({ ids }, { status: 201, headers })
  } catch (error) {
    return refusalOf(error)
  } finally {
    share.close()
  }
}

function accessRules(): AccessRules {
  const { jwtSecret: secret, publicTopics, isOpen } = config()
  return { secret, publicTopics, isOpen }
}

/** The key as the log knows it: nobody may learn by another's key what the other published. */
function keyOf(key: string | undefined, subject: string | undefined): string | undefined {
  // No key has a line end, so that no two publishers make the same of theirs.
  return key === undefined || subject === undefined ? key : `${subject}\n${key}`
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
