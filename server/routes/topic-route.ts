/** The topic route: reads 1 to 32 topics as one stream, and publishes to one topic. */
import type { Topics } from '@/protocol/topics/define-topics'
import { guardedTopics, type Access, type Publisher } from '@/server/access/access'
import { publicGrant } from '@/server/access/grant'
import { limitedClient } from '@/server/access/origin/client-address'
import { refuseCrossSite } from '@/server/access/origin/cross-site'
import { emptyAnswer, jsonAnswer, type Answer } from '@/server/answer'
import type { Grant } from '@/server/access/grant'
import type { Engine } from '@/server/engine'
import { publishTo } from '@/server/hub/publish'
import { PublishError } from '@/server/hub/publish-error'
import type { Mark } from '@/server/hub/placed-feed'
import { LogError, type EventLog } from '@/server/log/event-log'
import type { Turn } from '@/server/node/response-slots'
import { journal } from '@/server/observe/journal'
import { Refusal } from '@/server/refusal'
import type { RecheckOptions } from '@/server/stream/recheck'
import { UploadAbortedError, type SseRequest } from '@/server/sse/sse-request'
import { changeRun } from './change-run'
import { fingerprint, readIdempotencyKey } from '@/server/routes/body/idempotency'
import { readPublishedBody } from '@/server/routes/body/published-body'
import { readRunQuery, type RunQuery } from './run-query'
import { readStreamQuery } from './stream-query'
import { keysOf, readTopics } from './topics-in-path'

/** What the server object of the app says about its topics. */
export interface TopicRules {
  access: Access
  /** The defined topics. Undefined: any topic and any type. */
  topics: Topics | undefined
}

/**
 * `GET`: opens a stream.
 * @throws {Refusal}
 */
export async function readTopicStream(
  engine: Engine,
  request: SseRequest,
  { access, topics: defined }: TopicRules,
): Promise<Answer> {
  const { streams, limits, config } = engine
  const url = new URL(request.url)
  const topics = readTopics(url)
  const guarded = guardedTopics(access, topics)
  if (guarded) refuseCrossSite(request, config.corsOrigins)
  const keys = keysOf(topics, defined)
  const query = readStreamQuery(request, url.searchParams)
  const since = guarded ? await markOf(engine) : 'public'
  const grant = guarded ? await access.read(request, guarded) : publicGrant
  const { reader } = grant
  // A page continues only as the same reader: otherwise it would mix events granted to two users.
  if (query.reader !== undefined && query.reader !== reader) {
    throw new Refusal(
      'reader-changed',
      'This request has another reader than `reader` says: start over without it.',
    )
  }
  const { start, envelope = topics.length > 1 } = query
  const [topic] = topics
  if (query.run && topics.length > 1) {
    throw new Refusal('invalid-query', 'Runs are read from one topic.')
  }
  const lastEventId = start && 'cursor' in start ? start.cursor.text : ''
  if (since === 'unavailable') return streams.comeBack('unavailable', { lastEventId, reader })
  const onEnd = limits.openStream(() =>
    limitedClient(request, grant.subject, config.trustedProxies),
  )
  if (!onEnd) return streams.comeBack('too-many-streams', { lastEventId, reader })
  try {
    const hub = await engine.hub()
    const run = query.run && { ...query.run, found: await hub.log.findRun(topic, query.run.id) }
    if (run?.isFinite && !run.found) {
      onEnd()
      // Tells a browser not to come back.
      return emptyAnswer(204, { 'Cache-Control': 'no-store' })
    }
    const right = since === 'public' ? undefined : { grantee: grant, since }
    const subscription = { topics, keys, envelope, start, run, right }
    const feed = await engine.slots.outside(() => hub.subscribe(subscription))
    const { signal } = request
    const recheck = guarded && recheckOf(engine, access, grant, guarded)
    return streams.answer(feed, { signal, expiresAt: grant.expiresAtMs, recheck, reader, onEnd })
  } catch (error) {
    onEnd()
    if (!(error instanceof LogError)) throw error
    return streams.comeBack('unavailable', { lastEventId, reader })
  }
}

/** Where the log is before anyone is asked who may read: a disconnect after this place ends the stream. */
async function markOf(engine: Engine): Promise<Mark | 'unavailable'> {
  try {
    return await (await engine.hub()).mark()
  } catch (error) {
    if (error instanceof LogError) return 'unavailable'
    throw error
  }
}

/** How the right to a stream of these topics is confirmed. Keeps nothing of the request. */
function recheckOf(
  { slots }: Engine,
  access: Access,
  { subject, sessionKey }: Grant,
  topics: NonNullable<ReturnType<typeof guardedTopics>>,
): RecheckOptions | undefined {
  if (!access.recheck) return undefined
  const { everyMs, confirm } = access.recheck
  const grant = { subject, sessionKey, topics }
  // A stream advances within whatever has woken it, which may be the request of another client.
  return { everyMs, confirm: confirm && (() => slots.outside(() => confirm(grant))) }
}

/**
 * `POST`: publishes the body, after what the same connection sent before it.
 * @throws {Refusal}
 */
export async function publishToTopic(
  engine: Engine,
  request: SseRequest,
  { access, topics }: TopicRules,
  turn: Turn,
): Promise<Answer> {
  const { config, uploads, slots } = engine
  if (slots.isFromBeforeStart()) {
    const detail = 'The server has only just started. Try again.'
    throw new Refusal('unavailable', detail, { 'Retry-After': '1' })
  }
  refuseCrossSite(request, config.corsOrigins)
  const url = new URL(request.url)
  const [topic] = readTopics(url, 1)
  keysOf([topic], topics)
  const run = readRunQuery(url.searchParams)
  const subject = await allowPublish(engine, request, topic, access, run)
  const ownKey = readIdempotencyKey(request)
  const type = url.searchParams.get('type') ?? 'message'

  const share = uploads.open()
  try {
    const { eventMaxBytes } = config
    if (run) {
      const key = idempotencyKeyOf(ownKey, subject)
      return await changeRun(engine, { request, topic, topics, query: run, share, key })
    }
    const body = await readPublishedBody(request, share, { eventMaxBytes })
    const key = idempotencyKeyOf(ownKey, subject)
    const { log } = await engine.hub()
    await turn.come
    const { ids, replayed } = await publishTo(
      thenEnd(turn, log),
      topic,
      body.data.map((data) => ({ type, data })),
      {
        eventMaxBytes,
        topics,
        idempotency: key === undefined ? undefined : { key, fingerprint: fingerprint(body, type) },
      },
    )
    return jsonAnswer(201, { ids }, replayed ? { 'Idempotency-Replayed': 'true' } : {})
  } catch (error) {
    if (error instanceof UploadAbortedError) return emptyAnswer(400)
    throw asRefusal(error)
  } finally {
    share.close()
  }
}

/** The log keeps the order of calls, so the next publish of the connection need not wait until this one is kept. */
function thenEnd(turn: Turn, log: EventLog): Pick<EventLog, 'append'> {
  return {
    append(...asked) {
      const appending = log.append(...asked)
      turn.end()
      return appending
    },
  }
}

/** Checks that the request may publish. Returns its subject, or undefined when there is none. */
async function allowPublish(
  { config, limits }: Engine,
  request: SseRequest,
  topic: string,
  access: Access,
  run: RunQuery | undefined,
): Promise<string | undefined> {
  const { subject, isCounted } = await ask()
  // A run counts once, when it begins: it is renewed every few seconds, and may have many values.
  if (isCounted && (!run || run.op === 'begin')) await countPublish(subject)
  return subject

  async function ask(): Promise<Publisher> {
    try {
      return await (run?.op === 'stop' ? access.stop : access.publish)(request, topic)
    } catch (error) {
      // Refused requests are limited, so that a client can't guess tokens quickly.
      if (error instanceof Refusal && error.status < 500) await countPublish()
      throw error
    }
  }

  async function countPublish(user?: string): Promise<void> {
    const client = limitedClient(request, user, config.trustedProxies)
    const retryAfterS = await limits.takePublish(client)
    if (retryAfterS === undefined) return
    throw new Refusal(
      'too-many-publishes',
      `LIMIT_PUBLISH allows ${config.limitPublish} a minute.`,
      {
        'Retry-After': String(retryAfterS),
      },
    )
  }
}

/** The key for the log includes the subject. Otherwise a publisher could use another publisher's key to learn about its events. */
function idempotencyKeyOf(
  key: string | undefined,
  subject: string | undefined,
): string | undefined {
  // A key contains no line end, so different pairs of subject and key give different results.
  return key === undefined || subject === undefined ? key : `${subject}\n${key}`
}

function asRefusal(error: unknown): unknown {
  if (error instanceof PublishError && error.code !== 'publish-in-render') {
    const { code, message, issues, cause } = error
    if (code === 'schema-failed') journal.error({ err: cause }, message)
    return new Refusal(code, message, {}, issues.length > 0 ? { issues } : {})
  }
  if (!(error instanceof LogError)) return error
  switch (error.code) {
    case 'idempotency-conflict':
      return new Refusal(
        'idempotency-conflict',
        'This `Idempotency-Key` was used before, with another body.',
      )
    case 'run-ended':
      return new Refusal('run-ended', error.message)
    case 'busy':
      return new Refusal('busy', 'Too much is being published. Try again.', { 'Retry-After': '1' })
    case 'closed':
    case 'unavailable':
      return new Refusal('unavailable', 'The event log is unavailable. Try again.', {
        'Retry-After': '5',
      })
  }
}
