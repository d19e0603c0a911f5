/** Access by tokens. Anyone may read public topics; everything else needs a token that grants it. */
import { matchesTopic } from '@/protocol/topics/topic-pattern'
import { Refusal } from '@/server/refusal'
import type { RequestHead } from '@/server/sse/sse-request'
import type { Access } from '@/server/access/access'
import type { CheckToken } from './checked-tokens'
import { readerOf } from '@/server/access/reader-of'
import { readToken, type Token } from './token'

export interface TokenRules {
  /** Checks a token; undefined when none is accepted. */
  checkToken: CheckToken | undefined
  /** Patterns of the topics that anyone may read. */
  publicTopics: readonly string[]
  /** True when anyone may publish to every topic. */
  isOpen: boolean
}

export function tokenAccess({ checkToken, publicTopics, isOpen }: TokenRules): Access {
  const access: Access = {
    publicTopics,
    async read(request, topics) {
      if (!checkToken) {
        throw new Refusal(
          'secret-not-set',
          `${topics[0]} is not public: on the server, name it in PUBLIC_TOPICS, or set EVENTS_JWT_SECRET and send a token signed with it.`,
        )
      }
      const token = await tokenOf(request, checkToken)
      const { subject, subscribe, expiresAtMs } = token
      const lacking = topics.find((topic) => !matchesTopic(subscribe, topic))
      if (lacking === undefined) {
        return {
          reader: readerOf(token),
          subject: subject || undefined,
          sessionKey: undefined,
          expiresAtMs,
          isPublic: false,
        }
      }
      throw new Refusal('not-granted', `This token does not let you read ${lacking}.`)
    },
    async publish(request, topic) {
      if (isOpen) return { subject: undefined, isCounted: true }
      if (!checkToken) {
        throw new Refusal(
          'secret-not-set',
          'Nobody may publish over HTTP: to change that, set EVENTS_JWT_SECRET on the server, and send a token signed with it.',
        )
      }
      const { subject, publish } = await tokenOf(request, checkToken)
      if (matchesTopic(publish, topic)) return { subject: subject || undefined, isCounted: false }
      throw new Refusal('not-granted', `This token does not let you publish to ${topic}.`)
    },
    // Who may publish to a topic may stop its runs.
    stop: (request, topic) => access.publish(request, topic),
  }
  return access
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
