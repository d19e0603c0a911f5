/** What the server answers, before it is known how that leaves: as a Web `Response`, or written to Node's own response. */
import type { Stream } from './stream/stream'

export interface Answer {
  status: number
  /** Each name once, written as in these files: `Content-Type`. */
  headers: Record<string, string>
  /** A text, a stream that begins once it is sent, or nothing. */
  body: string | Stream | undefined
}

/** Keeps a browser from showing as a page what is for programs, whatever was published in it. */
export const neverAPage = {
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
} as const

export function emptyAnswer(status: number, headers: Record<string, string> = {}): Answer {
  return { status, headers, body: undefined }
}

/** `value` as JSON that no cache keeps. `headers` may replace these. */
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

/** What HEAD answers where GET would answer `answer`: the same status and headers, and no stream. */
export function headOf({ status, headers, body }: Answer): Answer {
  if (typeof body === 'object') body.stop()
  return { status, headers, body: undefined }
}
