/** Reads the body of a publish: stops at the limits, checks the data, and never rewrites the data. */
import { isJson } from '@/protocol/json'
import { splitNdjson } from './ndjson'
import { Refusal } from '@/server/refusal'
import type { RequestHead, SseRequest } from '@/server/sse/sse-request'
import type { UploadShare } from './upload-budget'

export interface PublishedBody {
  kind: BodyKind
  /** The data of each event, in order; at least one. */
  data: string[]
  /** The body, unchanged. */
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

type BodyKind = 'text' | 'json' | 'ndjson'

const utf8Names: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii'])

/**
 * Text, JSON, a form (the type that a bare `curl -d` sends) and a body without a type are one event. Each line of NDJSON is an event,
 * and all of them are valid or the body is refused. A body that exceeds a limit or the budget of `share` is refused while it arrives,
 * and the rest is not read. `share` stays reserved until the caller closes it.
 * @throws {Refusal} the body can't be published
 * @throws {UploadAbortedError}
 */
export async function readPublishedBody(
  request: SseRequest,
  share: UploadShare,
  {
    eventMaxBytes = 65_536,
    bodyMaxBytes = 8 * 1024 * 1024,
    maxEvents = 10_000,
  }: PublishLimits = {},
): Promise<PublishedBody> {
  const kind = readKind(request.headers)
  if (!kind || !isPlainUtf8(request.headers)) {
    throw new Refusal(
      'unsupported-media-type',
      'Send text/*, application/json or application/x-ndjson, in UTF-8 and without a content encoding.',
    )
  }
  const isOneEvent = kind !== 'ndjson' && eventMaxBytes <= bodyMaxBytes
  const maxBytes = isOneEvent ? eventMaxBytes : bodyMaxBytes
  const isDeclaredTooLarge = Number(request.headers.get('content-length')) > maxBytes
  const bytes = isDeclaredTooLarge ? 'too-large' : await request.readBody(maxBytes, share)
  if (bytes === 'too-large') throw tooLarge(isOneEvent, maxBytes)
  if (bytes === 'no-room') {
    // Without `Connection: close`, Node would read the rest of the body to its end, to use the connection again.
    const headers = { 'Retry-After': '1', Connection: 'close' }
    throw new Refusal('busy', 'Too many uploads are in progress. Try again.', headers)
  }

  const text = decode(bytes, kind)
  if (text === undefined) {
    throw new Refusal('invalid-utf8', 'Send the body in UTF-8: this body is not valid UTF-8.')
  }
  if (text === '') throw new Refusal('empty-body', 'The body is empty: send the data of the event.')
  if (kind === 'ndjson') {
    return { kind, data: splitNdjson(text, { eventMaxBytes, maxEvents }), bytes }
  }
  if (kind === 'json' && !isJson(text)) {
    throw new Refusal('invalid-json', 'Send one JSON value, or send the body as text/plain.')
  }
  return { kind, data: [text], bytes }
}

function readKind(headers: RequestHead['headers']): BodyKind | undefined {
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

function isPlainUtf8(headers: RequestHead['headers']): boolean {
  const encoding = headers.get('content-encoding') ?? 'identity'
  const [, charset = 'utf-8'] =
    /;\s*charset\s*=\s*"?([^\s";]*)/i.exec(headers.get('content-type') ?? '') ?? []
  return encoding.toLowerCase() === 'identity' && utf8Names.has(charset.toLowerCase())
}

function decode(bytes: Uint8Array, kind: BodyKind): string | undefined {
  try {
    // A byte order mark is not valid JSON, so drop it there. In text, it is part of the publisher's data.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: kind === 'text' }).decode(bytes)
  } catch {
    // The decoder throws only for invalid UTF-8.
    return undefined
  }
}

function tooLarge(isOneEvent: boolean, maxBytes: number): Refusal {
  return isOneEvent
    ? new Refusal(
        'event-too-large',
        `An event can have at most ${maxBytes} bytes: make it smaller.`,
      )
    : new Refusal(
        'body-too-large',
        `A body can have at most ${maxBytes} bytes: split it into several.`,
      )
}
