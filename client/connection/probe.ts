/** Sends one request to learn why a stream was refused, because an EventSource does not expose the status. */
import { readerChanged, type StreamError } from '@/client/stream-error'
import { parseJsonObject } from '@/protocol/json'
import type { ConnectionEvent } from './connection'

/** The event to report for the refused connection. */
type Verdict = Extract<ConnectionEvent, ['lost' | 'refused' | 'ended', ...unknown[]]>

/** Temporary 4xx statuses: Request Timeout, Too Early, Too Many Requests. */
const passing: ReadonlySet<number> = new Set([408, 425, 429])

/**
 * Asks for `url`, which is absolute, as an EventSource does, and reads no stream. Never rejects: without an answer, or when `asking`
 * is aborted, the stream counts as lost.
 */
export async function probe(
  url: string,
  withCredentials: boolean,
  asking: AbortController,
): Promise<Verdict> {
  try {
    const response = await fetch(url, {
      headers: { Accept: 'text/event-stream' },
      cache: 'no-store',
      credentials: withCredentials ? 'include' : 'same-origin',
      signal: asking.signal,
    })
    return await verdictOf(response, new URL(url).searchParams.has('reader'))
  } catch (cause) {
    // No answer, or one that a page of this origin may not see.
    return ['lost', { kind: 'unreachable', message: 'No answer.', cause }]
  } finally {
    asking.abort()
  }
}

async function verdictOf(response: Response, isForReader: boolean): Promise<Verdict> {
  const { status, headers } = response
  const contentType = headers.get('content-type') ?? ''
  if (status === 204) return ['ended']
  if (status === 200 && /^text\/event-stream\s*(;|$)/i.test(contentType)) {
    return ['lost', { kind: 'lost', message: 'The server refused at first.', status }]
  }
  const isProblem = contentType.startsWith('application/problem+json')
  // If the body can't be read, use only the status.
  const problem = isProblem ? parseJsonObject(await response.text().catch(() => '')) : undefined
  const code = textOf(problem?.['code'])
  const message =
    textOf(problem?.['detail']) ?? `The server answered with status ${status} and no event stream.`
  if (code === 'reader-changed' && isForReader) return ['refused', readerChanged]
  const error: StreamError = { kind: 'refused', message, status, code }
  // A successful answer that is not a stream comes from a proxy or a wrong URL: trying again will not help.
  if (status < 300 || (status >= 400 && status < 500 && !passing.has(status))) {
    return ['refused', error]
  }
  return ['lost', error, retryAfterMs(headers.get('retry-after'))]
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function retryAfterMs(value: string | null): number {
  if (value === null) return 0
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now()
  return ms > 0 ? ms : 0
}
