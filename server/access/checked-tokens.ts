/**
 * Remembers the tokens that held when they were checked: checking a signature takes longer than the rest of a publish. A token is known by
 * its hash, so that none is kept in memory.
 */
import { createHash } from 'node:crypto'
import { verifyToken, type Token } from './token'

/** Checks a token; undefined when it does not hold. */
export type CheckToken = (token: string) => Promise<Token | undefined>

const maxKept = 10_000

export function createTokenCheck(secret: string): CheckToken {
  const held = new Map<string, Token>()

  return async (text) => {
    const hash = createHash('sha256').update(text).digest('base64')
    const known = held.get(hash)
    if (known) {
      if (known.expiresAtMs === undefined || Date.now() < known.expiresAtMs) return known
      held.delete(hash)
    }
    const token = await verifyToken(text, secret)
    if (!token) return undefined
    held.set(hash, token)
    const [oldest] = held.keys()
    if (held.size > maxKept && oldest !== undefined) held.delete(oldest)
    return token
  }
}
