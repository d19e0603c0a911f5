/**
 * Gives every page a content security policy with a nonce of its own, which Next puts on the page's scripts. It is kept off all other
 * requests, because Next buffers the body of every one that a proxy matches.
 */
import { randomBytes } from 'node:crypto'
import { NextResponse, type NextRequest } from 'next/server'
import { contentPolicy } from '@/app/content-policy'

export function proxy(request: NextRequest): Response {
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
    {
      source: '/((?!events(?:/|$)|health/(?:live|ready)$|metrics$|_next/|icon\\.svg$).*)',
      // A page is asked for without a body. One that answers such a request all the same gets a policy from next.config.js.
      missing: [
        { type: 'header', key: 'content-length' },
        { type: 'header', key: 'transfer-encoding' },
      ],
    },
  ],
}
