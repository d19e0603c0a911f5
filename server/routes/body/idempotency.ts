/** Makes a publish safe to repeat: reads the publisher's idempotency key, and computes the fingerprint of the body. */
import { createHash } from 'node:crypto'
import { Refusal } from '@/server/refusal'
import type { PublishedBody } from './published-body'
import type { RequestHead } from '@/server/sse/sse-request'

/**
 * Reads the `Idempotency-Key` header: 1–255 visible ASCII characters, without decoding. Returns undefined when there is none.
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

/** A hash of the bytes, the kind of body and the event type. Equal only when all three are equal. */
export function fingerprint({ kind, bytes }: PublishedBody, type: string): string {
  return createHash('sha256')
    .update(`${JSON.stringify([kind, type])}\n`)
    .update(bytes)
    .digest('hex')
}
