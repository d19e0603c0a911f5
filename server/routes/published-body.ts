/** The body of a publish as the data of its events: read no further than the limits allow, checked, and never rewritten. */
import { isJson, splitNdjson } from './ndjson'
import { problem, type Problem } from '@/server/problem'
import type { UploadShare } from './upload-budget'

export interface PublishedBody {
  kind: BodyKind
  /** The data of each event, in order; at least one. */
  data: string[]
  /** The body as it came. */
  bytes: Uint8Array
}

export interface PublishLimits {
  /** The data of one event, in bytes of UTF-8. Default 65,536. */
  eventMaxBytes?: number
  /** Default 8 MiB. */
  bodyMaxBytes?: number
  /** Default 10,000. */
  maxEvents?: number
}

export interface RefusedBody {
  problem: Problem
  /** What the answer must say beside the problem. */
  headers?: Record<string, string>
}

/** The client went away before its body had arrived: an ending, with nobody left to answer. */
export class UploadAbortedError extends Error {
  override name = 'UploadAbortedError'
  readonly code = 'upload-aborted'
}

type BodyKind = 'text' | 'json' | 'ndjson'

const utf8Names: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii'])

/**
 * Text, a form (what a bare `curl -d` calls its data) and a body without a type are one event, as is JSON; each line of NDJSON is
 * one, all or none. A body beyond a limit is refused while it arrives, and the rest of it left unread; so is one for which `share`
 * has no room. What the body holds of it is held until the caller closes it.
 * @throws {UploadAbortedError}
 */
export async function readPublishedBody(
  request: Request,
  share: UploadShare,
  {
    eventMaxBytes = 65_536,
    bodyMaxBytes = 8 * 1024 * 1024,
    maxEvents = 10_000,
  }: PublishLimits = {},
): Promise<PublishedBody | RefusedBody> {
  const kind = readKind(request.headers)
  if (!kind || !isPlainUtf8(request.headers)) return { problem: unsupportedMediaType() }

  const isOneEvent = kind !== 'ndjson' && eventMaxBytes <= bodyMaxBytes
  const maxBytes = isOneEvent ? eventMaxBytes : bodyMaxBytes
  const isDeclaredTooLarge = Number(request.headers.get('content-length')) > maxBytes
  const bytes = isDeclaredTooLarge ? 'too-large' : await readBytes(request.body, maxBytes, share)
  if (bytes === 'too-large') return { problem: tooLarge(isOneEvent, maxBytes) }
  if (bytes === 'no-room') return busy()

  const text = decode(bytes, kind)
  if (text === undefined) {
    return { problem: problem('invalid-utf8', 'Send the body in UTF-8; this one has other bytes.') }
  }
  if (text === '') return { problem: problem('empty-body', 'The body is the event: send some.') }
  if (kind === 'ndjson') {
    const lines = splitNdjson(text, { eventMaxBytes, maxEvents })
    return 'problem' in lines ? lines : { kind, data: lines.data, bytes }
  }
  if (kind === 'json' && !isJson(text)) {
    const detail = 'Send one JSON value, or send the body as text/plain.'
    return { problem: problem('invalid-json', detail) }
  }
  return { kind, data: [text], bytes }
}

function readKind(headers: Headers): BodyKind | undefined {
  const [mediaType = ''] = (headers.get('content-type') ?? '').split(';')
  switch (mediaType.trim().toLowerCase()) {
    case '':
    case 'application/x-www-form-urlencoded':
      return 'text'
    case 'application/json':
      return 'json'
    case 'application/x-ndjson':
      return 'ndjson'
    default:
      return /^text\/[^\s/,]+$/i.test(mediaType.trim()) ? 'text' : undefined
  }
}

function isPlainUtf8(headers: Headers): boolean {
  const encoding = headers.get('content-encoding') ?? 'identity'
  const [, charset = 'utf-8'] =
    /;\s*charset\s*=\s*"?([^\s";]*)/i.exec(headers.get('content-type') ?? '') ?? []
  return encoding.toLowerCase() === 'identity' && utf8Names.has(charset.toLowerCase())
}

/** All of the body, or why it was left unread. */
async function readBytes(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
  share: UploadShare,
): Promise<Uint8Array | 'too-large' | 'no-room'> {
  // One buffer that grows: a list of chunks would hold far more than `maxBytes` of a body sent in chunks of one byte.
  let buffer = new Uint8Array(0)
  let length = 0
  const reader = body?.getReader()
  const leave = <T>(why: T): T => {
    // What cancelling makes of an upload already refused concerns nobody.
    void reader?.cancel().catch(() => {})
    return why
  }
  for (;;) {
    const chunk = await nextChunk(reader)
    if (!chunk) return buffer.subarray(0, length)
    const end = length + chunk.length
    if (end > maxBytes) return leave('too-large')
    if (end > buffer.length) {
      // By what has come, not by what `Content-Length` promises: a client that sends nothing would take room from others.
      const size = Math.min(maxBytes, Math.max(end, 2 * buffer.length))
      // Twice: now for the old buffer beside the new one, later for the text made of it.
      if (!share.resize(2 * size)) return leave('no-room')
      const larger = new Uint8Array(size)
      larger.set(buffer.subarray(0, length))
      buffer = larger
    }
    buffer.set(chunk, length)
    length = end
  }
}

async function nextChunk(
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
): Promise<Uint8Array | undefined> {
  try {
    return (await reader?.read())?.value
  } catch (cause) {
    throw new UploadAbortedError('The client went away while its body arrived.', { cause })
  }
}

function decode(bytes: Uint8Array, kind: BodyKind): string | undefined {
  try {
    // A byte order mark is no JSON; in text it is the publisher's, like all else.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: kind === 'text' }).decode(bytes)
  } catch {
    // The decoder throws for nothing else.
    return undefined
  }
}

function tooLarge(isOneEvent: boolean, maxBytes: number): Problem {
  return isOneEvent
    ? problem('event-too-large', `An event has at most ${maxBytes} bytes: make it smaller.`)
    : problem('body-too-large', `A body has at most ${maxBytes} bytes: send it in several.`)
}

function busy(): RefusedBody {
  return {
    problem: problem('busy', 'Too many bodies are under way at once. Try again.'),
    // The rest of the body would otherwise be read to its end, to use the connection again.
    headers: { 'Retry-After': '1', Connection: 'close' },
  }
}

function unsupportedMediaType(): Problem {
  return problem(
    'unsupported-media-type',
    'Send text/*, application/json or application/x-ndjson, in UTF-8 and without a content encoding.',
  )
}
