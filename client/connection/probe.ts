/** Learns by one request why a stream was refused: an EventSource keeps the status to itself. */
import { parseJsonObject } from '@/protocol/json'
import { readerChanged, type StreamError } from '@/client/stream-error'

export type Verdict =
  /** Asking again later is of use. */
  | { kind: 'later'; error: StreamError; askedMs?: number | undefined }
  /** Asking again is of no use before something has changed. */
  | { kind: 'never'; error: StreamError }
  /** There is nothing more to read. */
  | { kind: 'end' }

/** 4xx that pass by themselves: Request Timeout, Too Early, Too Many Requests. */
const passing: ReadonlySet<number> = new Set([408, 425, 429])

/** Asks for `url` as an EventSource does, and reads no stream. Never rejects. */
export async function probe(
  url: string,
  withCredentials: boolean,
  signal: AbortSignal,
): Promise<Verdict> {
  const leaving = new AbortController()
  const leave = (): void => leaving.abort()
  signal.addEventListener('abort', leave)
  try {
    const response = await fetch(url, {
      headers: { Accept: 'text/event-stream' },
      cache: 'no-store',
      credentials: withCredentials ? 'include' : 'same-origin',
      signal: leaving.signal,
    })
    return await judge(response, new URL(url).searchParams.has('reader'))
  } catch (cause) {
    // No answer, or one that a page of this origin may not see.
    return { kind: 'later', error: { kind: 'unreachable', message: 'No answer.', cause } }
  } finally {
    signal.removeEventListener('abort', leave)
    leave()
  }
}

async function judge(response: Response, isForReader: boolean): Promise<Verdict> {
  const { status, headers } = response
  const type = headers.get('content-type') ?? ''
  if (status === 204) return { kind: 'end' }
  if (status === 200 && /^text\/event-stream\s*(;|$)/i.test(type)) {
    return {
      kind: 'later',
      error: { kind: 'lost', message: 'The server refused at first.', status },
    }
  }
  const { code, detail } = type.startsWith('application/problem+json')
    ? await problemOf(response)
    : {}
  const message = detail ?? `The server answered with status ${status} and no event stream.`
  if (code === 'reader-changed' && isForReader) return { kind: 'never', error: readerChanged }
  const error: StreamError = { kind: 'refused', message, status, code }
  // Another answer than a stream, where one should be, is a proxy's page or the wrong URL: it will not change by asking.
  if (status < 300 || (status >= 400 && status < 500 && !passing.has(status))) {
    return { kind: 'never', error }
  }
  return { kind: 'later', error, askedMs: retryAfterMs(headers.get('retry-after')) }
}

async function problemOf(response: Response): Promise<{ code?: string; detail?: string }> {
  try {
    const { code, detail } = parseJsonObject(await response.text()) ?? {}
    return {
      ...(typeof code === 'string' && { code }),
      ...(typeof detail === 'string' && { detail }),
    }
  } catch {
    // The answer broke off: the status alone has to do.
    return {}
  }
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function retryAfterMs(value: string | null): number | undefined {
  if (value === null) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now()
  return ms > 0 ? ms : undefined
}
