/** The tokens of `EVENTS_JWT_SECRET` as a part of an app's own `authorize`: people come with a session, other programs with a token. */
import { guardedTopics } from '@/server/access/access'
import type { AccessGrant, AccessQuestion } from '@/server/access/authorize'
import { tokenAccess } from '@/server/access/tokens/token-access'
import { vouch } from '@/server/access/vouched'
import { processEngine } from '@/server/engine'

/**
 * Answers as the library does for an app without `authorize`: by the request's token and `PUBLIC_TOPICS`, and in development without a
 * secret anyone may do anything. What a token does not grant is refused with the same codes.
 *
 * @throws {Refusal}
 *
 * @example
 * createSse({
 *   authorize: {
 *     read: async (asked) => {
 *       const session = await readSession(asked.request)
 *       return session ? { subject: session.userId } : byToken.read(asked)
 *     },
 *     publish: byToken.publish,
 *     stop: byToken.stop,
 *   },
 * })
 */
export const byToken = {
  read: async ({ topics, request }: AccessQuestion): Promise<true | AccessGrant> => {
    const access = tokenAccess(processEngine().tokenRules)
    const guarded = guardedTopics(access, topics)
    if (!guarded) return true
    const { subject, reader, expiresAtMs } = await access.read(asAsked(request), guarded)
    return { ...(subject === undefined ? { sessionKey: reader } : { subject }), until: expiresAtMs }
  },
  publish,
  /** Who may publish to a topic may stop its runs. */
  stop: publish,
}

async function publish({ topics, request }: AccessQuestion): Promise<true | AccessGrant> {
  const access = tokenAccess(processEngine().tokenRules)
  const { subject, isCounted } = await access.publish(asAsked(request), topics[0])
  if (isCounted) return true
  return vouch(subject === undefined ? { sessionKey: 'token' } : { subject })
}

function asAsked(request: Request): Request & { toRequest: () => Request } {
  return Object.assign(request, { toRequest: () => request })
}
