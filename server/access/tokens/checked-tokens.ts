/**
 * Caches valid tokens, because checking a signature takes longer than the rest of a publish. The cache uses hashes, so that no token
 * stays in memory.
 */
import { hash } from 'node:crypto'
import { decodeProtectedHeader } from 'jose'
import { keysKeptMs, type FindKey } from './key-set'
import { verifyToken, type Token } from './token'

/**
 * Checks a token. Resolves with undefined when it is invalid.
 * @throws {Refusal} the keys to check it with can't be read now
 */
export type CheckToken = (token: string) => Promise<Token | undefined>

const maxKept = 10_000

/** What tokens may be signed with: a secret, keys of an identity provider, or either. */
export interface TokenKeys {
  secret?: string | undefined
  findKey?: FindKey | undefined
}

interface ValidToken {
  token: Token
  /** In milliseconds since the Unix epoch. */
  keptUntil: number
}

export function createTokenCheck({ secret, findKey }: TokenKeys): CheckToken {
  const validTokens = new Map<string, ValidToken>()

  return async (text) => {
    const digest = hash('sha256', text, 'base64')
    const known = validTokens.get(digest)
    if (known && Date.now() < known.keptUntil) return known.token
    validTokens.delete(digest)
    const key = isBySecret(text) ? secret : findKey
    const token = key && (await verifyToken(text, key))
    if (!token) return undefined
    const { expiresAtMs = Infinity } = token
    // The key itself may be removed by its owner.
    const keyKeptUntil = key === secret ? Infinity : Date.now() + keysKeptMs
    validTokens.set(digest, { token, keptUntil: Math.min(expiresAtMs, keyKeptUntil) })
    const [oldest] = validTokens.keys()
    if (validTokens.size > maxKept && oldest !== undefined) validTokens.delete(oldest)
    return token
  }
}

/** By what the token says of itself: whether that is true is found out with the key. */
function isBySecret(text: string): boolean {
  try {
    return decodeProtectedHeader(text).alg?.startsWith('HS') === true
  } catch {
    // It is no token at all, which either key finds out.
    return true
  }
}
