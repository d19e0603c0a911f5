/** Derives a reader's key. Needs no store and no secret, so all instances compute the same key. */
import { hash } from 'node:crypto'
import { anonymousReader } from '@/protocol/reader-key'
import type { Token } from '@/server/access/tokens/token'

/**
 * The key of the reader with this token. All tokens of one subject have the same key, so a renewed token keeps the reader. For a
 * token without a subject, the key depends on the topics that it may read.
 */
export function readerOf(token: Token | undefined): string {
  if (!token) return anonymousReader
  const { subject, subscribe } = token
  // Patterns contain no line ends, so different lists give different texts.
  return readerNamed(subject || ['subscribe', ...[...new Set(subscribe)].toSorted()].join('\n'))
}

/** The key of the reader whom `name` tells from all others; that of the anonymous reader for an empty name. */
export function readerNamed(name: string): string {
  return hash('sha256', name, 'base64url').slice(0, 16)
}
