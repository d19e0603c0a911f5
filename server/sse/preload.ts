/** Reads kept events for a page, as the reader whose browser asked for that page. */
import { formatCursor, type Cursor } from '@/protocol/cursor'
import type { Topics } from '@/protocol/topics/define-topics'
import { encodePreloaded, type Preloaded, type PreloadedEvents } from '@/protocol/preloaded'
import { grantRead, type Access } from '@/server/access/access'
import type { Engine } from '@/server/engine'
import { historyOf } from '@/server/hub/history'
import { checkTopics, ReadError, type ReadFrom } from '@/server/hub/read-events'
import { runStateOf } from '@/server/hub/run-state'
import type { EventLog } from '@/server/log/event-log'
import { journal } from '@/server/observe/journal'
import { Refusal } from '@/server/refusal'
import { fromWeb } from '@/server/routes/web-request'
import { checkDefined } from './topic-reader'

/** A page with more than this is slow to arrive, and its events come twice: as HTML, and as text for the hydration. */
const largeBytes = 128 * 1024

/** With the run of the one topic that began last, and how it stands. */
export interface FromRun {
  run: 'latest'
}

interface PreloadRequest {
  topics: string | readonly string[]
  /** The defined topics of the app. */
  defined?: Topics | undefined
  from: ReadFrom | FromRun
  /** Where the route of topics is mounted, without a `basePath`. */
  path: string
  /** Those of the request for the page. */
  headers: Headers
  access: Access
}

/**
 * Reads the events if the reader may read them. A refusal is an answer, which the page can show.
 * @throws {ReadError}
 * @throws {Refusal} with a status from 500: the reader may be allowed later
 * @throws {LogError} `unavailable` or `closed`
 */
export async function preloadTopics(
  engine: Engine,
  { topics, defined, from, path, headers, access }: PreloadRequest,
): Promise<Preloaded> {
  const names = checkTopics(topics)
  const keys = defined && checkDefined(defined, names)
  const time = Date.now()
  const request = new Request(`${originOf(headers)}${path}/${names.join(',')}`, { headers })
  const { log } = await engine.hub()
  // What comes while access is decided may be after the end of the reader's session: the stream decides about it again.
  const until = await log.head()
  try {
    const { reader } = await grantRead(access, fromWeb(request), names)
    const answer = { reader, ...(await read(log, names, from, until)) }
    const preloaded = encodePreloaded({ topics: names, keys, path, time, answer })
    warnOfSize(names, Buffer.byteLength(preloaded))
    return preloaded
  } catch (error) {
    if (!(error instanceof Refusal) || error.status >= 500) throw error
    const { status, code, message: detail } = error
    return encodePreloaded({ topics: names, path, time, answer: { status, code, detail } })
  }
}

/** Where the page was asked for. */
function originOf(headers: Headers): string {
  const [protocol] = headers.get('x-forwarded-proto')?.split(',') ?? []
  const origin = `${protocol ?? 'http'}://${headers.get('host')}`
  return URL.canParse(origin) ? origin : 'http://localhost'
}

async function read(
  log: EventLog,
  topics: readonly string[],
  from: ReadFrom | FromRun,
  until: Cursor,
): Promise<Omit<PreloadedEvents, 'reader'>> {
  if ('run' in from) return await readRun(log, topics, until)
  return await historyOf(log, topics, from, until)
}

/** The kept events since the beginning of the run, after an event that says how it stands. */
async function readRun(
  log: EventLog,
  topics: readonly string[],
  until: Cursor,
): Promise<Omit<PreloadedEvents, 'reader'>> {
  const [topic, other] = topics
  if (topic === undefined || other !== undefined) {
    throw new ReadError('invalid-start', '`run` needs exactly one topic.')
  }
  const found = await log.findRun(topic)
  const { epoch } = await log.head()
  const after = found && formatCursor({ epoch, offset: found.first - 1 })
  const { events, cursor } = await historyOf(log, topics, found ? { after } : { last: 0 }, until)
  const data = JSON.stringify(runStateOf(found))
  const state = { id: after ?? cursor, topic, type: 'run.state', data, time: Date.now() }
  return { events: [state, ...events], cursor }
}

/** Topics of which it was said, so that a busy page does not fill the journal. */
const warnedOf = new Set<string>()

function warnOfSize(topics: readonly string[], bytes: number): void {
  const names = topics.join(',')
  if (bytes <= largeBytes || warnedOf.has(names) || warnedOf.size >= 100) return
  warnedOf.add(names)
  journal.warn(
    `sse.preload(${JSON.stringify(topics)}) puts ${Math.round(bytes / 1024)} KiB into the page: ask for fewer events, with \`last\` or \`since\`.`,
  )
}
