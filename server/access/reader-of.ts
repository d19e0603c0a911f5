/** Tells readers apart by what they were let in with. Needs no store and no secret, so all instances say the same of a request. */
import { createHash } from 'node:crypto'
import { anonymousReader } from '@/protocol/reader-key'
import type { Token } from './token'

/**
 * The key of the reader whom `token` grants a stream: the same for all tokens of one subject, so that a renewed token is the same
 * reader. A token that names nobody is told apart by what it lets read.
 */
export function readerOf(token: Token | undefined): string {
  if (!token) return anonymousReader
  const { subject, subscribe } = token
  // Patterns have no line ends, so no two lists make the same text.
  return keyOf(subject || ['subscribe', ...[...new Set(subscribe)].toSorted()].join('\n'))
}

function keyOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16)
}
