/**
 * Answers paths below `/events/` that no list of topics can have, which Next would in part answer with 500 by itself (`/events/%ff`).
 * It is kept off all other paths, because Next buffers the body of every request that a proxy matches.
 */
import { maxTopics } from '@/events/topic'
import { problem, problemResponse } from '@/http/problem'

export function proxy(): Response {
  return problemResponse(
    problem(
      'malformed-path',
      `After /events/ come 1 to ${maxTopics} topics, separated by commas: letters, digits, \`_\`, \`.\` and \`-\`.`,
    ),
  )
}

export const config = { matcher: '/events/((?!(?:[A-Za-z0-9_.,-]|%2[Cc])+$).*)' }
