/** What an answer means that is no event stream: whether another attempt may succeed, and when. */
import { readerChanged, type StreamError } from '@/client/stream-error'
import { parseJsonObject } from '@/protocol/json'
import type { ConnectionEvent } from './connection'

/** The event to report for a connection that never opened. */
export type Verdict = Extract<ConnectionEvent, ['lost' | 'refused' | 'ended', ...unknown[]]>

/** Temporary 4xx statuses: Request Timeout, Too Early, Too Many Requests. */
const passing: ReadonlySet<number> = new Set([408, 425, 429])

/**
 * Judges the answer to a request for `url`, which is absolute. Undefined when it is an event stream. Never rejects: if the body breaks,
 * only the status counts.
 */
export async function verdictOf(response: Response, url: string): Promise<Verdict | undefined> {
  const { status, headers } = response
  const contentType = headers.get('content-type') ?? ''
  if (status === 204) return ['ended']
  if (status === 200 && /^text\/event-stream\s*(;|$)/i.test(contentType)) return undefined
  const isProblem = contentType.startsWith('application/problem+json')
  const problem = isProblem ? parseJsonObject(await response.text().catch(() => '')) : undefined
  const code = textOf(problem?.['code'])
  const message =
    textOf(problem?.['detail']) ?? `The server answered with status ${status} and no event stream.`
  if (code === 'reader-changed' && new URL(url).searchParams.has('reader')) {
    return ['refused', readerChanged]
  }
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
