/** Who may read and publish over HTTP. Tokens decide, or functions of the app; both answer in the same way. */
import { matchesTopic } from '@/protocol/topics/topic-pattern'
import type { AskedRequest } from '@/server/sse/sse-request'
import type { OpenGrant } from './authorize'
import { publicGrant, type Grant } from './grant'

export interface Access {
  /** Patterns of the topics that anyone may read. */
  publicTopics: readonly string[]
  /**
   * Checks that the request may read all of these topics, none of which is public.
   * @throws {Refusal}
   */
  read: (request: AskedRequest, topics: Topics) => Promise<Grant>
  /**
   * Checks that the request may publish to the topic.
   * @throws {Refusal}
   */
  publish: (request: AskedRequest, topic: string) => Promise<Publisher>
  /**
   * Checks that the request may stop runs of the topic.
   * @throws {Refusal}
   */
  stop: (request: AskedRequest, topic: string) => Promise<Publisher>
  /** How long a granted stream may go on until its right is confirmed. Undefined: as long as the grant says. */
  recheck?: { everyMs: number; confirm: ((grant: OpenGrant) => Promise<boolean>) | undefined }
}

export type Topics = readonly [string, ...string[]]

/** Who publishes, once it is allowed. */
export interface Publisher {
  /** The user, where there is one. */
  subject: string | undefined
  /** True when `LIMIT_PUBLISH` counts the publish: nothing but the request vouches for its publisher. */
  isCounted: boolean
}

/** Those of `topics` that are not public; undefined when all are. */
export function guardedTopics(
  { publicTopics }: Pick<Access, 'publicTopics'>,
  topics: readonly string[],
): Topics | undefined {
  const [first, ...rest] = topics.filter((topic) => !matchesTopic(publicTopics, topic))
  return first === undefined ? undefined : [first, ...rest]
}

/**
 * Checks that the request may read all of `topics`, and says until when and as which reader. Public topics need no asking: all their
 * readers count as the same, anonymous reader.
 * @throws {Refusal}
 */
export async function grantRead(
  access: Access,
  request: AskedRequest,
  topics: readonly string[],
): Promise<Grant> {
  const guarded = guardedTopics(access, topics)
  return guarded ? await access.read(request, guarded) : publicGrant
}
