/** Reads kept events for a page, as the reader whose browser asked for that page. */
import type { Topics } from '@/protocol/define-topics'
import { encodePreloaded, type Preloaded, type PreloadedEvents } from '@/protocol/preloaded'
import { grantRead, type Access } from './access/access'
import type { Engine } from './engine'
import { checkTopics, historyOf, type ReadFrom } from './hub/read-events'
import { journal } from './observe/journal'
import { Refusal } from './refusal'
import { fromWeb } from './routes/web-request'
import { checkDefined } from './topic-reader'

/** A page with more than this is slow to arrive, and its events come twice: as HTML, and as text for the hydration. */
const largeBytes = 128 * 1024

interface PreloadRequest {
  topics: string | readonly string[]
  /** The defined topics of the app. */
  defined?: Topics | undefined
  from: ReadFrom
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
  try {
    const { reader } = await grantRead(access, fromWeb(request), names)
    const answer = { reader, ...(await read(engine, names, from)) }
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
  engine: Engine,
  topics: readonly string[],
  from: ReadFrom,
): Promise<Omit<PreloadedEvents, 'reader'>> {
  const { log } = await engine.hub()
  return await historyOf(log, topics, from)
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
