/**
 * Answers paths below `/events/` that no list of topics can have, which Next would in part answer with 500 by itself (`/events/%ff`).
 * It is kept off all other paths, because Next buffers the body of every request that a proxy matches.
 */
import { refusePath } from '@/app/events/refuse-path'

export function proxy(request: Request): Response {
  return refusePath(request)
}

export const config = { matcher: '/events/((?!(?:[A-Za-z0-9_.,-]|%2[Cc])+$).*)' }
