/** Access by the app's own functions, which are asked once a request. Tokens count for nothing then. */
import { journal } from '@/server/observe/journal'
import { Refusal } from '@/server/refusal'
import type { AskedRequest } from '@/server/sse/sse-request'
import type { Access, Topics } from './access'
import { askAuthorize, askRevalidate, type GrantedByApp } from './ask-app'
import { readAuthorize, type Authorize, type Authorizer, type Revalidate } from './authorize'
import { clientOf } from '@/server/access/origin/client-address'
import { readerNamed } from './reader-of'
import { createSessionKeyWatch } from './session-key-watch'

export interface OwnRules {
  authorize: Authorize
  /** A grant is confirmed, or ends, after this long at most, in milliseconds. */
  recheckMs: number
  /** Confirms a grant. Undefined: none is. */
  revalidate: Revalidate | undefined
}

/** Of the configuration. */
interface OwnSettings {
  publicTopics: readonly string[]
  trustedProxies: number
}

/** Asks the app about one request. */
export type Ask = (
  authorizer: Authorizer,
  request: AskedRequest,
  topics: Topics,
) => Promise<GrantedByApp>

export function ownAccess(
  { authorize, recheckMs, revalidate }: OwnRules,
  { publicTopics, trustedProxies }: OwnSettings,
  ask: Ask = askAuthorize,
): Access {
  const { read, publish, stop } = readAuthorize(authorize)
  // Written out, because Next replaces it in a build.
  const watchSessionKey =
    process.env.NODE_ENV === 'production' ? undefined : createSessionKeyWatch(warnOfChanges)
  return {
    publicTopics,
    recheck: {
      everyMs: recheckMs,
      confirm: revalidate && ((grant) => askRevalidate(revalidate, grant)),
    },
    async read(request, topics) {
      if (!read) throw closed(`Nobody may read ${topics[0]} over HTTP`, 'read')
      const { subject, sessionKey, expiresAtMs } = await ask(read, request, topics)
      if (sessionKey !== undefined) {
        watchSessionKey?.(`${clientOf(request, trustedProxies)} ${subject}`, sessionKey)
      }
      const reader = readerNamed(sessionKey ?? subject ?? '')
      return { reader, subject, sessionKey, expiresAtMs, isPublic: false }
    },
    async publish(request, topic) {
      if (!publish) throw closed('Nobody may publish over HTTP', 'publish')
      const { subject, byToken } = await ask(publish, request, [topic])
      return { subject, isCounted: !byToken }
    },
    async stop(request, topic) {
      if (!stop) throw closed('Nobody may stop a run over HTTP', 'stop')
      const { subject, byToken } = await ask(stop, request, [topic])
      return { subject, isCounted: !byToken }
    },
  }
}

function closed(detail: string, action: string): Refusal {
  return new Refusal(
    'not-granted',
    `${detail}: on the server, createSse has no authorize.${action}.`,
  )
}

function warnOfChanges(): void {
  journal.warn(
    '`authorize` gave another sessionKey at each of the last three requests of one client. Each then counts as another reader, and pages stop. Give the id of the session: it stays the same while the login lasts.',
  )
}
