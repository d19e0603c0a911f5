/** `POST` with `?run=`: runs whose producer is another program, in any language. It begins, renews and ends its run itself. */
import { formatCursor, parseCursor } from '@/protocol/cursor'
import type { NewEvent } from '@/protocol/event'
import type { RunEvents } from '@/protocol/run'
import type { Topics } from '@/protocol/topics/define-topics'
import { checkEvents } from '@/server/hub/check-events'
import { jsonAnswer, type Answer } from '@/server/answer'
import type { Engine } from '@/server/engine'
import { checkEventType } from '@/server/hub/publish'
import { keepsLatest } from '@/server/keep'
import type { Idempotency } from '@/server/log/event-log'
import { Refusal } from '@/server/refusal'
import { eventsOf, RunLimitError, valueMaxBytes } from '@/server/runs/run-values'
import type { SseRequest } from '@/server/sse/sse-request'
import { fingerprint } from '@/server/routes/body/idempotency'
import { readPublishedBody, type PublishedBody } from '@/server/routes/body/published-body'
import type { RunQuery } from './run-query'
import type { UploadShare } from '@/server/routes/body/upload-budget'

export interface RunRequest {
  request: SseRequest
  topic: string
  /** The defined topics, if the app has defined them. */
  topics: Topics | undefined
  query: RunQuery
  share: UploadShare
  /** The key that makes the append safe to repeat. */
  key: string | undefined
}

/**
 * Carries out what was asked. The caller has checked that the request may.
 * @throws {Refusal} `run-living`, or about the body
 * @throws {LogError} `run-ended`, `busy`, `unavailable` or `closed`
 */
export async function changeRun(engine: Engine, asked: RunRequest): Promise<Answer> {
  const { request, share, query } = asked
  const body = await readOptionalBody(request, share)
  const takesBody = query.op === 'renew' || query.op === 'end'
  if (body && !takesBody) throw new Refusal('invalid-query', `\`op=${query.op}\` takes no body.`)
  switch (query.op) {
    case 'begin':
      return await beginRun(engine, asked)
    case 'renew':
      return await renewRun(engine, asked, body)
    case 'end':
      return await endRun(engine, asked, body)
    case 'stop':
      return await stopRun(engine, asked)
  }
}

async function beginRun(
  engine: Engine,
  { topic, query: { id, onLiving } }: RunRequest,
): Promise<Answer> {
  if (keepsLatest(topic, engine.config)) {
    throw new Refusal('invalid-query', `${topic} keeps its newest event alone: it can’t have runs.`)
  }
  const { log } = await engine.hub()
  const data: RunEvents['run.begin'] = { run: id }
  const { ids, run: outcome } = await log.append(topic, [eventOf('run.begin', data)], {
    run: { id, op: 'begin' },
  })
  const begun = parseCursor(ids[0])
  if (begun) {
    const cursor = formatCursor({ ...begun, offset: begun.offset - 1 })
    const status = outcome?.run?.state
    return jsonAnswer(201, { id, status, cursor, joined: false })
  }
  const found = await engine.runs.find(topic, outcome?.run?.id)
  if (!found) throw new Refusal('run-ended', 'The run has ended, and nothing is known of it.')
  if (found.id === id || onLiving === 'join') return jsonAnswer(200, { ...found, joined: true })
  if (onLiving === 'refuse') {
    throw new Refusal('run-living', `The run ${found.id} of ${topic} has not ended yet.`)
  }
  await engine.runs.stop(topic, { id: found.id, reason: 'replaced' })
  return jsonAnswer(202, { ...found, joined: false }, { 'Retry-After': '1' })
}

async function renewRun(
  engine: Engine,
  asked: RunRequest,
  body: PublishedBody | undefined,
): Promise<Answer> {
  const { topic, query, key } = asked
  const { id } = query
  const { log } = await engine.hub()
  const { events, type } = await eventsIn(engine, asked, body)
  await countValues(engine, asked, events, body)
  const idempotency: Idempotency | undefined =
    key !== undefined && body ? { key, fingerprint: fingerprint(body, type) } : undefined
  const run = { id, op: 'renew' } as const
  const { ids, replayed, run: outcome } = await log.append(topic, events, { run, idempotency })
  const state = outcome?.run?.state ?? (await log.findRun(topic, id))?.state
  return jsonAnswer(201, { ids, status: state }, replayed ? { 'Idempotency-Replayed': 'true' } : {})
}

async function endRun(
  engine: Engine,
  asked: RunRequest,
  body: PublishedBody | undefined,
): Promise<Answer> {
  const { topic, query } = asked
  const { id, status } = query
  const { log } = await engine.hub()
  const reason = status === 'failed' ? 'error' : undefined
  const data: RunEvents['run.end'] = { run: id, status, reason }
  const { events: values } = await eventsIn(engine, asked, body)
  await countValues(engine, asked, values, body)
  const events = [...values, eventOf('run.end', data)]
  const { run: outcome } = await log.append(topic, events, {
    run: { id, op: 'end', status, reason },
  })
  const run = outcome?.run
  engine.foreignRuns.forget(topic, id)
  return jsonAnswer(200, { id, status: run?.state, reason: run?.reason })
}

/**
 * Ends a run that has too many values, or too large ones.
 * @throws {Refusal} `run-too-large`
 */
async function countValues(
  engine: Engine,
  { topic, query: { id } }: RunRequest,
  events: NewEvent[],
  body: PublishedBody | undefined,
): Promise<void> {
  try {
    engine.foreignRuns.count(topic, id, { events, bytes: body?.bytes.length ?? 0 })
  } catch (error) {
    if (!(error instanceof RunLimitError)) throw error
    const { reason, message } = error
    const data: RunEvents['run.end'] = { run: id, status: 'failed', reason }
    const { log } = await engine.hub()
    await log.append(topic, [eventOf('run.end', data)], {
      run: { id, op: 'end', status: 'failed', reason },
    })
    engine.foreignRuns.forget(topic, id)
    throw new Refusal('run-too-large', `${message} The run has failed.`)
  }
}

async function stopRun(engine: Engine, { topic, query: { id } }: RunRequest): Promise<Answer> {
  const named = id === 'latest' ? {} : { id }
  const found = await engine.runs.stop(topic, named)
  return jsonAnswer(202, found ?? { ...named, status: 'unknown' })
}

async function readOptionalBody(
  request: SseRequest,
  share: UploadShare,
): Promise<PublishedBody | undefined> {
  try {
    return await readPublishedBody(request, share, { eventMaxBytes: valueMaxBytes })
  } catch (error) {
    if (error instanceof Refusal && error.code === 'empty-body') return undefined
    throw error
  }
}

/** A value that is larger than an event may be becomes parts. */
async function eventsIn(
  { config }: Engine,
  { request, topic, topics }: RunRequest,
  body: PublishedBody | undefined,
): Promise<{ events: NewEvent[]; type: string }> {
  const type = new URL(request.url).searchParams.get('type') ?? 'message'
  checkEventType(type)
  const values = (body?.data ?? []).map((text) => ({ type, data: text.toWellFormed() }))
  if (topics) await checkEvents(topics, topic, values)
  const events = values.flatMap(({ data }) =>
    eventsOf(type, data, Buffer.byteLength(data), config.eventMaxBytes),
  )
  return { events, type }
}

function eventOf<T extends keyof RunEvents>(type: T, data: RunEvents[T]): NewEvent {
  return { type, data: JSON.stringify(data) }
}
