/**
 * The public keys of an identity provider, which it publishes at an address. They are read once and kept: until a token names a key
 * that is not among them, or for ten minutes. While the address can't be read, the keys known last go on counting.
 * @see https://www.rfc-editor.org/rfc/rfc7517
 */
import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose'
import { journal } from '@/server/observe/journal'
import { Refusal } from '@/server/refusal'

/** Finds the key that a token is signed with. Throws an error of jose when there is none, and a `Refusal` when no key can be read. */
export type FindKey = JWTVerifyGetKey

/** A key that the provider has removed counts no longer than this. */
export const keysKeptMs = 600_000
/** So often at most, unknown keys are asked for: anybody can send a token that names one. */
const unknownAfterMs = 60_000
/** So often at most, an address that could not be read is tried again while no key is known. */
const retryAfterMs = 5_000

export function createKeySet(url: URL): FindKey {
  const { readAfter, find, hasKeys } = createReader(url)

  return async (header, token) => {
    // Requests that come while the keys are read again are judged by those that are known.
    if (hasKeys()) void readAfter(keysKeptMs)
    else await readAfter(retryAfterMs)
    // Before the first answer, a token can be neither right nor wrong.
    if (!hasKeys()) {
      const detail = 'The server can’t read the keys that tokens are checked with. Try again.'
      throw new Refusal('unavailable', detail, { 'Retry-After': '5' })
    }
    try {
      return await find(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      await readAfter(unknownAfterMs)
      return await find(header, token)
    }
  }
}

function createReader(url: URL): {
  /** Reads the keys, unless that was tried less than so long ago. Does not fail. */
  readAfter: (leastMs: number) => Promise<void>
  find: FindKey
  hasKeys: () => boolean
} {
  // It asks for nothing by itself but at the very first: when to ask is decided here, also while the address can't be read.
  const remote = createRemoteJWKSet(url, { cacheMaxAge: Infinity, cooldownDuration: Infinity })
  let triedAt = -Infinity
  let reading: Promise<void> | undefined
  let isAway = false

  async function read(): Promise<void> {
    try {
      await remote.reload()
      isAway = false
    } catch (error) {
      if (!isAway) journal.error({ err: error }, 'EVENTS_JWKS_URL can’t be read.')
      isAway = true
    } finally {
      reading = undefined
    }
  }

  return {
    async readAfter(leastMs) {
      if (!reading && performance.now() >= triedAt + leastMs) {
        triedAt = performance.now()
        reading = read()
      }
      await reading
    },
    find: remote,
    hasKeys: () => remote.jwks() !== undefined,
  }
}
