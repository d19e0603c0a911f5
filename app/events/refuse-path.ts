/** Answers a path below `/events/` that no list of topics can have. */
import { maxTopics } from '@/protocol/topic'
import { problem, problemResponse } from '@/server/problem'
import { shared } from './guard'

export function refusePath(request: Request): Response {
  const detail = `After /events/ come 1 to ${maxTopics} topics, separated by commas: letters, digits, \`_\`, \`.\` and \`-\`.`
  return shared(request, problemResponse(problem('malformed-path', detail)))
}
