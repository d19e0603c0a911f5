/** Describes in words who may read and publish. The journal logs this at the start. */
import type { AccessRules } from './authorize'

/** One sentence about both reading and publishing. */
export function describeAccess({ checkToken, publicTopics, isOpen }: AccessRules): string {
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
  return `EVENTS_JWT_SECRET is not set: ${publishing}, and ${reading}.`
}

function listOf(items: readonly string[]): string {
  return new Intl.ListFormat('en-GB').format(items)
}
