/** Issues tokens that grant reading and publishing. `token.ts` checks them. */
import { SignJWT } from 'jose'
import { isTopicPattern } from '@/protocol/topics/topic-pattern'

export interface TokenGrants {
  /** Patterns of the topics that the token's owner may read, and publish to: a topic, `prefix.*` or `*`. */
  subscribe: readonly string[]
  publish: readonly string[]
  /** The user that the token is for. Readers with the same subject count as the same reader. */
  subject?: string | undefined
  /** How long the token is valid, in milliseconds. */
  expiresInMs: number
}

/** @throws {Error} a grant is not a topic pattern */
export async function mintToken(
  { subscribe, publish, subject, expiresInMs }: TokenGrants,
  secret: string,
): Promise<string> {
  for (const pattern of [...subscribe, ...publish]) {
    if (isTopicPattern(pattern)) continue
    throw new Error(`${JSON.stringify(pattern)} is not a topic, \`prefix.*\` or \`*\`.`)
  }
  const expiresAt = new Date(Date.now() + expiresInMs)
  const token = new SignJWT({ events: { subscribe, publish } })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt()
    .setExpirationTime(expiresAt)
  if (subject !== undefined) token.setSubject(subject)
  return await token.sign(new TextEncoder().encode(secret))
}
