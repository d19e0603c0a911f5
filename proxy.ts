/**
 * Gives every page a content security policy with a nonce of its own, which Next puts on the page's scripts; and answers paths below
 * `/events/` that no list of topics can have, which Next would in part answer with 500 by itself (`/events/%ff`).
 * It is kept off all other requests, because Next buffers the body of every one that a proxy matches.
 */
import { randomBytes } from 'node:crypto'
import { NextResponse, type NextRequest } from 'next/server'
import { contentPolicy } from '@/app/content-policy'
import { refusePath } from '@/app/events/refuse-path'

export function proxy(request: NextRequest): Response {
  return request.nextUrl.pathname.startsWith('/events/') ? refusePath(request) : guardPage(request)
}

function guardPage(request: NextRequest): Response {
  const nonce = randomBytes(16).toString('base64')
  const policy = contentPolicy(nonce, { isDevelopment: process.env.NODE_ENV === 'development' })
  // Next reads the nonce off the request.
  const headers = new Headers(request.headers)
  headers.set('Content-Security-Policy', policy)
  const response = NextResponse.next({ request: { headers } })
  response.headers.set('Content-Security-Policy', policy)
  return response
}

export const config = {
  matcher: [
    '/events/((?!(?:[A-Za-z0-9_.,-]|%2[Cc])+$).*)',
    {
      source: '/((?!events(?:/|$)|health/(?:live|ready)$|metrics$|_next/|icon\\.svg$).*)',
      // Nobody asks for a page with a body; one that answers such a request all the same has a policy of next.config.js.
      missing: [
        { type: 'header', key: 'content-length' },
        { type: 'header', key: 'transfer-encoding' },
      ],
    },
  ],
}
