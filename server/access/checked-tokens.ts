/**
 * Caches valid tokens, because checking a signature takes longer than the rest of a publish. The cache uses hashes, so that no token
 * stays in memory.
 */
import { createHash } from 'node:crypto'
import { verifyToken, type Token } from './token'

/** Checks a token. Resolves with undefined when it is invalid. */
export type CheckToken = (token: string) => Promise<Token | undefined>

const maxKept = 10_000

export function createTokenCheck(secret: string): CheckToken {
  const validTokens = new Map<string, Token>()

  return async (text) => {
    const hash = createHash('sha256').update(text).digest('base64')
    const known = validTokens.get(hash)
    if (known) {
      if (known.expiresAtMs === undefined || Date.now() < known.expiresAtMs) return known
      validTokens.delete(hash)
    }
    const token = await verifyToken(text, secret)
    if (!token) return undefined
    validTokens.set(hash, token)
    const [oldest] = validTokens.keys()
    if (validTokens.size > maxKept && oldest !== undefined) validTokens.delete(oldest)
    return token
  }
}
