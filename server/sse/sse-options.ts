/** The options of `createSse`, and which of them can't be understood. */
import { parseDuration } from '@/protocol/duration'
import type { Topics } from '@/protocol/topics/define-topics'
import { readAuthorize, type Authorize, type Revalidate } from '@/server/access/authorize'
import type { OwnRules } from '@/server/access/own-access'
import type { Keep } from '@/server/keep'

export interface SseOptions<T extends Topics | undefined = undefined> {
  /**
   * The topics of the app, made by `defineTopics`. Then other topics and types are refused, and every event is checked by its schema before
   * it is published. Default: any topic and any type.
   */
  topics?: T | undefined
  /** Where the route of topics is mounted, without a `basePath`. Default `/events`. */
  path?: string | undefined
  /**
   * How long the events of certain topics are kept: rules by topic, `prefix.*` or `*`. Of several patterns that match a topic, the most
   * specific one counts, and no other; what its rule leaves out comes from the environment. A change takes effect with the next event of
   * a topic. Default: all topics as `EVENTS_MAX_AGE` and `EVENTS_MAX_COUNT` say.
   *
   * @example
   * createSse({ keep: { 'chat.*': { maxAge: '30d' }, 'price.*': { latest: true } } })
   */
  keep?: Keep | undefined
  /**
   * Says who may read and publish over HTTP, by looking at the app's own session. A function answers for reading alone, and nobody may
   * publish over HTTP; an object answers for each action that it names, and closes the others. It is asked once a request, about topics
   * that `PUBLIC_TOPICS` does not name, and nothing else is: no token counts any more. Default: the tokens of `EVENTS_JWT_SECRET`.
   *
   * @example
   * createSse({
   *   authorize: async ({ topics, request }) => {
   *     const session = await readSession(request)
   *     if (!session) return { subject: undefined } // 401
   *     const isTheirs = topics.every((topic) => topic === `user.${session.userId}`)
   *     return isTheirs && { subject: session.userId, until: session.expiresAt }
   *   },
   * })
   */
  authorize?: Authorize | undefined
  /**
   * How long a stream goes on after `authorize` has granted it: after 0.8 to 1 times this long, its reader is asked to come back, and
   * `authorize` is asked about the new request. So a reader who has logged out is gone after this long at the latest. A duration such as
   * `30s` or `10m`. Default `5m`.
   */
  recheck?: string | undefined
  /**
   * Confirms a grant when `recheck` is over, without a request, and spares the reader to come back: look the session up by its key. True
   * lets the stream go on for as long again. With anything else, the reader comes back, and `authorize` is asked. Default: none.
   *
   * @example
   * createSse({ authorize, revalidate: async ({ sessionKey }) => await sessions.exists(sessionKey) })
   */
  revalidate?: Revalidate | undefined
  /**
   * `auto`: in a production build, requests for topics are answered before Next sees them, unless something else in the app could match
   * them. The journal says whether this is active. On a server of your own it also takes `FRONT_DOOR=on`. `off`: all requests go through
   * Next. Default `auto`; `FRONT_DOOR=off` has the last word.
   */
  frontDoor?: 'auto' | 'off' | undefined
}

/** @throws {Error} one of the options can't be understood */
export function readOwnRules({
  authorize,
  recheck,
  revalidate,
}: Pick<SseOptions, 'authorize' | 'recheck' | 'revalidate'>): OwnRules | undefined {
  if (!authorize) {
    if (recheck === undefined && revalidate === undefined) return undefined
    throw new Error('createSse: recheck and revalidate are about what authorize has granted.')
  }
  readAuthorize(authorize)
  const recheckMs = parseDuration(recheck ?? '5m')
  if (recheckMs !== undefined && recheckMs > 0) return { authorize, recheckMs, revalidate }
  throw new Error('createSse: recheck must be a duration such as 30s, 5m or 1h.')
}

/** @throws {Error} the path can't be that of a route */
export function checkPath(path: string): void {
  if (/^(?:\/[\w.~-]+)+$/.test(path)) return
  throw new Error(`createSse: the path must look like /events, not ${JSON.stringify(path)}.`)
}
