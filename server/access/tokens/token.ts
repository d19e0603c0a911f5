/**
 * Reads and verifies access tokens: JSON Web Tokens, signed with a secret that this server shares with their issuer, or with a private
 * key of an identity provider.
 * @see https://www.rfc-editor.org/rfc/rfc7519
 */
import { createSecretKey, type KeyObject } from 'node:crypto'
import { parse as parseCookie } from 'cookie'
import { errors, jwtVerify } from 'jose'
import { isTopicPattern } from '@/protocol/topics/topic-pattern'
import type { RequestHead } from '@/server/sse/sse-request'
import type { FindKey } from './key-set'

/** The cookie that holds a browser's token. */
const tokenCookie = 'events_token'

/** The claims of a valid token. */
export interface Token {
  /** The user that the token was issued to: the claim `sub`. */
  subject: string | undefined
  /** Patterns of the topics that the token's owner may read, and publish to: the claim `events`. */
  subscribe: readonly string[]
  publish: readonly string[]
  /** In milliseconds since the Unix epoch; undefined when the token never expires. */
  expiresAtMs: number | undefined
}

/**
 * Finds the request's token without checking it: first in the `Authorization` header, then (only for reading) in `?access_token=`,
 * then in the cookie. Returns an empty string when the header is just `Bearer`, and undefined when there is no token.
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-2
 */
export function readToken({ headers, method, url }: RequestHead): string | undefined {
  const bearer = /^bearer(?: +(.*))?$/i.exec(headers.get('authorization') ?? '')
  if (bearer) return bearer[1] ?? ''
  // Tokens in the query are for reading only: otherwise a shared link could publish.
  const isReading = method === 'GET' || method === 'HEAD'
  const inQuery = isReading && new URL(url).searchParams.get('access_token')
  return inQuery || parseCookie(headers.get('cookie') ?? '')[tokenCookie] || undefined
}

/** Without any that is symmetric: a public key is no secret. */
const asymmetric = ['RS', 'PS', 'ES']
  .flatMap((family) => [`${family}256`, `${family}384`, `${family}512`])
  .concat('EdDSA', 'Ed25519')

/**
 * Returns the token's claims if it is signed with a secret by HS256, or with a key that `findKey` finds by an asymmetric algorithm, and
 * neither expired nor not yet valid. Undefined otherwise.
 * @throws {Refusal} no key can be read now
 */
export async function verifyToken(
  token: string,
  key: string | FindKey,
): Promise<Token | undefined> {
  try {
    const { payload } =
      typeof key === 'string'
        ? await jwtVerify(token, keyOf(key), { algorithms: ['HS256'] })
        : await jwtVerify(token, key, { algorithms: asymmetric })
    const grants = readGrants(payload['events'])
    if (!grants) return undefined
    const { sub: subject, exp } = payload
    return { ...grants, subject, expiresAtMs: exp === undefined ? undefined : exp * 1_000 }
  } catch (error) {
    // Any other error is a bug of ours.
    if (!(error instanceof errors.JOSEError)) throw error
    return undefined
  }
}

/** Without the claim `events`, a token is valid but grants nothing. With a malformed claim, it is invalid: it is meant for another service. */
function readGrants(claim: unknown): Pick<Token, 'subscribe' | 'publish'> | undefined {
  if (claim === undefined) return { subscribe: [], publish: [] }
  if (typeof claim !== 'object' || claim === null) return undefined
  const { subscribe = [], publish = [] } = claim as { subscribe?: unknown; publish?: unknown }
  return isPatternList(subscribe) && isPatternList(publish) ? { subscribe, publish } : undefined
}

function isPatternList(value: unknown): value is string[] {
  return (
    Array.isArray(value) && value.every((item) => typeof item === 'string' && isTopicPattern(item))
  )
}

let key: { secret: string; object: KeyObject } | undefined

/** Returns the same object for the same secret, because jose caches its work per key object. */
function keyOf(secret: string): KeyObject {
  if (key?.secret !== secret) key = { secret, object: createSecretKey(secret, 'utf8') }
  return key.object
}
