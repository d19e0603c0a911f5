/** What makes a publish repeatable: the key its publisher chose, and what tells one body from another. */
import { createHash } from 'node:crypto'
import { Refusal } from '@/server/refusal'
import type { PublishedBody } from './published-body'
import type { RequestHead } from '@/server/sse-request'

/**
 * The `Idempotency-Key` header: 1–255 visible ASCII characters, taken as they are; undefined when there is none.
 * @throws {Refusal} `invalid-idempotency-key`
 */
export function readIdempotencyKey({ headers }: RequestHead): string | undefined {
  const key = headers.get('idempotency-key') ?? undefined
  if (key === undefined || /^[!-~]{1,255}$/.test(key)) return key
  throw new Refusal(
    'invalid-idempotency-key',
    '`Idempotency-Key` must be 1 to 255 visible ASCII characters, such as a UUID.',
  )
}

/** The same for the same bytes sent as the same kind of body under the same event type, and for nothing else. */
export function fingerprint({ kind, bytes }: PublishedBody, type: string): string {
  return createHash('sha256')
    .update(`${JSON.stringify([kind, type])}\n`)
    .update(bytes)
    .digest('hex')
}
