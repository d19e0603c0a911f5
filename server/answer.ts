/** An answer of the server, independent of how it is sent: as a Web `Response`, or written to Node's response. */
import type { Stream } from './stream/stream'

export interface Answer {
  status: number
  /** Each name once, capitalised like `Content-Type`. */
  headers: Record<string, string>
  /** A text, a stream that begins once it is sent, or nothing. */
  body: string | Stream | undefined
}

/** Stops a browser from rendering an answer as a page, because published data may contain HTML. */
export const neverAPage = {
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
} as const

export function emptyAnswer(status: number, headers: Record<string, string> = {}): Answer {
  return { status, headers, body: undefined }
}

/** Answers with `value` as JSON that is never cached. `headers` override the default headers. */
export function jsonAnswer(
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): Answer {
  return {
    status,
    headers: {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      ...neverAPage,
      ...headers,
    },
    body: JSON.stringify(value),
  }
}

/** Turns the answer to GET into the answer to HEAD: the same status and headers, and no body. Stops the stream. */
export function headOf({ status, headers, body }: Answer): Answer {
  if (typeof body === 'object') body.stop()
  return { status, headers, body: undefined }
}
