/** Describes in words who may read and publish. The journal logs this at the start. */
import { readAuthorize, type Authorize } from './authorize'
import type { TokenRules } from '@/server/access/tokens/token-access'

/** What holds for an app whose `createSse` has an `authorize`: one sentence, and one more where a secret is set. */
export function describeAuthorize(
  authorize: Authorize,
  { publicTopics, acceptsTokens }: { publicTopics: readonly string[]; acceptsTokens: boolean },
): string {
  const { read, publish, stop } = readAuthorize(authorize)
  const isPublic = publicTopics.includes('*')
  const others = publicTopics.length === 0 ? 'topics' : 'other topics'
  const guarded = read
    ? `\`authorize\` decides who may read ${others}`
    : `nobody may read ${others}`
  const reading = isPublic
    ? 'anyone may read every topic'
    : publicTopics.length === 0
      ? guarded
      : `anyone may read ${listOf(publicTopics)}, ${guarded}`
  const publishing = publish
    ? '`authorize` decides who may publish'
    : 'nobody may publish over HTTP'
  const stopping = stop ? ' It decides who may stop runs.' : ''
  const unused = acceptsTokens ? ' Tokens count only where it asks `byToken`.' : ''
  return `createSse has \`authorize\`: ${reading}, and ${publishing}.${stopping}${unused}`
}

/** What holds for an app without `authorize`, in one sentence. */
export function describeAccess({ checkToken, publicTopics, isOpen }: TokenRules): string {
  const isPublic = publicTopics.includes('*')
  const readable = isPublic ? 'every topic' : listOf(publicTopics)
  if (checkToken) {
    if (isPublic) return 'Anyone may read every topic; publishing takes a token.'
    if (publicTopics.length === 0) return 'Reading a topic takes a token, and so does publishing.'
    return `Anyone may read ${readable}; reading other topics takes a token, and so does publishing.`
  }
  const publishing = isOpen ? 'anyone may publish' : 'nobody may publish over HTTP'
  const reading =
    publicTopics.length === 0
      ? 'nobody may read a topic, because PUBLIC_TOPICS names none'
      : `anyone may read ${readable}${isPublic ? '' : ', nobody other topics'}`
  const overruled = 'With `authorize` in createSse, that decides instead.'
  return `EVENTS_JWT_SECRET is not set: ${publishing}, and ${reading}. ${overruled}`
}

function listOf(items: readonly string[]): string {
  return new Intl.ListFormat('en-GB').format(items)
}
