/**
 * The tokens by which clients say what they may do: JSON Web Tokens signed with a secret that this server shares with whoever
 * issues them.
 * @see https://www.rfc-editor.org/rfc/rfc7519
 */
import { createSecretKey, type KeyObject } from 'node:crypto'
import { parse as parseCookie } from 'cookie'
import { errors, jwtVerify } from 'jose'
import { isTopicPattern } from '@/protocol/topic-pattern'
import type { RequestHead } from '@/server/sse-request'

/** The cookie that holds a browser's token. */
const tokenCookie = 'events_token'

/** What a token that holds says. */
export interface Token {
  /** Whom it was issued to: the claim `sub`. */
  subject: string | undefined
  /** Patterns of the topics that it lets read, and publish to: the claim `events`. */
  subscribe: readonly string[]
  publish: readonly string[]
  /** In milliseconds since the Unix epoch; undefined when it holds for ever. */
  expiresAtMs: number | undefined
}

/**
 * The token sent along, unchecked: in the `Authorization` header, else, for reading alone, as `?access_token=`, else in the cookie.
 * Empty when a header says `Bearer` and nothing else, undefined when there is none.
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-2
 */
export function readToken({ headers, method, url }: RequestHead): string | undefined {
  const bearer = /^bearer(?: +(.*))?$/i.exec(headers.get('authorization') ?? '')
  if (bearer) return bearer[1] ?? ''
  // A body published to an address that holds a token would be a link to publish by.
  const isReading = method === 'GET' || method === 'HEAD'
  const inQuery = isReading && new URL(url).searchParams.get('access_token')
  return inQuery || parseCookie(headers.get('cookie') ?? '')[tokenCookie] || undefined
}

/** What `token` says, if `secret` signed it by HS256 and its time has come and is not over; undefined when it does not hold. */
export async function verifyToken(token: string, secret: string): Promise<Token | undefined> {
  try {
    const { payload } = await jwtVerify(token, keyOf(secret), { algorithms: ['HS256'] })
    const grants = readGrants(payload['events'])
    if (!grants) return undefined
    const { sub: subject, exp } = payload
    return { ...grants, subject, expiresAtMs: exp === undefined ? undefined : exp * 1_000 }
  } catch (error) {
    // Whatever else it is would be our fault.
    if (!(error instanceof errors.JOSEError)) throw error
    return undefined
  }
}

/** Without the claim a token is good for nothing; with one that says something else, it is not meant for us. */
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

/** As an object jose remembers what it made of it. */
function keyOf(secret: string): KeyObject {
  if (key?.secret !== secret) key = { secret, object: createSecretKey(secret, 'utf8') }
  return key.object
}
