/** Who the tests are: publishers whose token grants everything, because in production nobody publishes over HTTP without one. */
import { createHmac } from 'node:crypto'

/** What production servers are started with: everybody may read, this machine as much as it likes, and tokens are checked. */
export const accessEnv = {
  EVENTS_JWT_SECRET: 'of these tests alone, and long enough',
  PUBLIC_TOPICS: '*',
  LIMIT_STREAMS: '0',
}

export interface TokenOptions {
  /** Default: the one that servers are started with. */
  secret?: string
  /** The header's `alg`; signed by HS256 all the same, unless it is `HS512` or `none`. Default `HS256`. */
  algorithm?: string
}

/** A JSON Web Token, made by hand, because a test needs wrong ones too. */
export function signToken(
  claims: object,
  { secret = accessEnv.EVENTS_JWT_SECRET, algorithm = 'HS256' }: TokenOptions = {},
): string {
  const signed = [{ alg: algorithm, typ: 'JWT' }, claims].map(encode).join('.')
  if (algorithm === 'none') return `${signed}.`
  const hash = algorithm === 'HS512' ? 'sha512' : 'sha256'
  return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** Grants everything, for ever. */
export const publisherToken = signToken({ events: { subscribe: ['*'], publish: ['*'] } })

/** The headers of a publisher's request. */
export const asPublisher = { authorization: `Bearer ${publisherToken}` }
