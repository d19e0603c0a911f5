/** Who may read and who may publish: everybody what is public, and otherwise whoever has a token for it. */
import { matchesTopic } from '@/protocol/topic-pattern'
import { problem, type Problem } from '@/server/problem'
import { readerOf } from './reader-of'
import { readToken, verifyToken, type Token } from './token'

export interface AccessRules {
  /** What tokens are signed with; undefined when none is accepted. */
  secret: string | undefined
  /** Patterns of the topics that anyone may read. */
  publicTopics: readonly string[]
  /** Whether anyone may publish to everything. */
  isOpen: boolean
}

export interface Refused {
  problem: Problem
  /** None that would do. */
  token?: never
  /** What the answer must say beside the problem. */
  headers: Record<string, string>
}

export interface ReadGrant {
  /** It may read no longer than its token holds; undefined when it needs none. */
  expiresAtMs: number | undefined
  /** The key of who reads. */
  reader: string
}

/**
 * Whether the request may read all of `topics`, until when, and as whom. What is public is so whatever token comes along: there
 * everybody is the same reader.
 */
export async function authorizeRead(
  request: Request,
  topics: readonly string[],
  { secret, publicTopics }: AccessRules,
): Promise<ReadGrant | Refused> {
  const guarded = topics.filter((topic) => !matchesTopic(publicTopics, topic))
  const [first] = guarded
  if (first === undefined) return { expiresAtMs: undefined, reader: readerOf(undefined) }
  if (secret === undefined) {
    return forbidden(
      'secret-not-set',
      `${first} is not public: on the server, name it in PUBLIC_TOPICS, or set EVENTS_JWT_SECRET and send a token signed with it.`,
    )
  }
  const token = await checkToken(request, secret)
  if ('problem' in token) return token
  const { subscribe, expiresAtMs } = token
  const lacking = guarded.find((topic) => !matchesTopic(subscribe, topic))
  if (lacking === undefined) return { expiresAtMs, reader: readerOf(token) }
  return forbidden('not-granted', `This token does not let you read ${lacking}.`)
}

/** Whether the request may publish to `topic`, and by whose token. */
export async function authorizePublish(
  request: Request,
  topic: string,
  { secret, isOpen }: AccessRules,
): Promise<{ token: Token | undefined } | Refused> {
  if (isOpen) return { token: undefined }
  if (secret === undefined) {
    return forbidden(
      'secret-not-set',
      'Nobody may publish over HTTP: to change that, set EVENTS_JWT_SECRET on the server, and send a token signed with it.',
    )
  }
  const token = await checkToken(request, secret)
  if ('problem' in token) return token
  if (matchesTopic(token.publish, topic)) return { token }
  return forbidden('not-granted', `This token does not let you publish to ${topic}.`)
}

async function checkToken(request: Request, secret: string): Promise<Token | Refused> {
  const text = readToken(request)
  if (text === undefined) {
    const detail = 'Send a token: `Authorization: Bearer <token>`, or the cookie `events_token`.'
    return { problem: problem('token-required', detail), headers: { 'WWW-Authenticate': 'Bearer' } }
  }
  const token = await verifyToken(text, secret)
  if (token) return token
  return {
    // What of it is wrong is nobody's business but the issuer's.
    problem: problem('invalid-token', 'This token does not hold here, or no longer: get another.'),
    headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
  }
}

function forbidden(code: 'secret-not-set' | 'not-granted', detail: string): Refused {
  return { problem: problem(code, detail), headers: {} }
}
