/** Decides who may read and publish. Anyone may read public topics; everything else needs a token that grants it. */
import { matchesTopic } from '@/protocol/topic-pattern'
import { Refusal } from '@/server/refusal'
import type { RequestHead } from '@/server/sse-request'
import type { CheckToken } from './checked-tokens'
import { publicGrant, type Grant } from './grant'
import { readerOf } from './reader-of'
import { readToken, type Token } from './token'

export interface AccessRules {
  /** Checks a token; undefined when none is accepted. */
  checkToken: CheckToken | undefined
  /** Patterns of the topics that anyone may read. */
  publicTopics: readonly string[]
  /** True when anyone may publish to every topic. */
  isOpen: boolean
}

/**
 * Checks that the request may read all of `topics`, and says until when and as which reader. For public topics any token is
 * ignored: all their readers count as the same, anonymous reader.
 * @throws {Refusal}
 */
export async function authorizeRead(
  request: RequestHead,
  topics: readonly string[],
  { checkToken, publicTopics }: AccessRules,
): Promise<Grant> {
  const guarded = topics.filter((topic) => !matchesTopic(publicTopics, topic))
  const [first] = guarded
  if (first === undefined) return publicGrant
  if (!checkToken) {
    throw new Refusal(
      'secret-not-set',
      `${first} is not public: on the server, name it in PUBLIC_TOPICS, or set EVENTS_JWT_SECRET and send a token signed with it.`,
    )
  }
  const token = await tokenOf(request, checkToken)
  const { subject, subscribe, expiresAtMs } = token
  const lacking = guarded.find((topic) => !matchesTopic(subscribe, topic))
  if (lacking === undefined) {
    return { reader: readerOf(token), subject, sessionKey: undefined, expiresAtMs, isPublic: false }
  }
  throw new Refusal('not-granted', `This token does not let you read ${lacking}.`)
}

/**
 * Checks that the request may publish to `topic`. Returns its token, or undefined when no token is needed.
 * @throws {Refusal}
 */
export async function authorizePublish(
  request: RequestHead,
  topic: string,
  { checkToken, isOpen }: AccessRules,
): Promise<Token | undefined> {
  if (isOpen) return undefined
  if (!checkToken) {
    throw new Refusal(
      'secret-not-set',
      'Nobody may publish over HTTP: to change that, set EVENTS_JWT_SECRET on the server, and send a token signed with it.',
    )
  }
  const token = await tokenOf(request, checkToken)
  if (matchesTopic(token.publish, topic)) return token
  throw new Refusal('not-granted', `This token does not let you publish to ${topic}.`)
}

async function tokenOf(request: RequestHead, check: CheckToken): Promise<Token> {
  const text = readToken(request)
  if (text === undefined) {
    const detail = 'Send a token: `Authorization: Bearer <token>`, or the cookie `events_token`.'
    throw new Refusal('token-required', detail, { 'WWW-Authenticate': 'Bearer' })
  }
  const token = await check(text)
  if (token) return token
  // Don't say what is wrong with the token: that would help an attacker to forge one.
  throw new Refusal('invalid-token', 'This token is not valid, or has expired: get another.', {
    'WWW-Authenticate': 'Bearer error="invalid_token"',
  })
}
