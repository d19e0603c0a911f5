/** The tests' access: a token that grants everything, because publishing over HTTP needs one in production. */
import { createHmac } from 'node:crypto'

/** The environment of production servers: every topic is public to read, streams are not limited, and tokens are checked. */
export const accessEnv = {
  EVENTS_JWT_SECRET: 'only for these tests, and long enough',
  PUBLIC_TOPICS: '*',
  LIMIT_STREAMS: '0',
}

export interface TokenOptions {
  /** Default: the secret of `accessEnv`. */
  secret?: string
  /** The header's `alg`. The signature is HS256, except for `HS512` and `none`. Default `HS256`. */
  algorithm?: string
}

/** A JSON Web Token, made by hand because tests need invalid ones too. */
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

/** Grants everything and never expires. */
export const publisherToken = signToken({ events: { subscribe: ['*'], publish: ['*'] } })

/** The headers of a publisher's request. */
export const asPublisher = { authorization: `Bearer ${publisherToken}` }
