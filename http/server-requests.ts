/**
 * What only Node's own request can do, and a route handler has no hold of. A reader that takes nothing, and a publisher that sends
 * nothing, are cut off by their socket: a stream can't end itself, because while a chunk waits for the socket, ending the body waits
 * behind it. What a client says of its own address is dropped, before Next believes it. And streams get hold of their response.
 * @see https://nodejs.org/api/diagnostics_channel.html#http
 */
import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { oncePerProcess } from '@/events/once-per-process'
import { log } from '@/observe/log'
import { seatResponse } from './direct-lane'

const servers = oncePerProcess('servers', () => new Set<Server>())

/** Closes the connections on which no request is under way. */
export function closeIdleConnections(): void {
  for (const server of servers) server.closeIdleConnections()
}

export interface ServerRequestOptions {
  /** After this long without a byte a stream or a publish is cut off, in milliseconds. */
  stallMs: number
  /** How many proxies of ours are in front. Where there is none, clients wrote `X-Forwarded-For` themselves. */
  trustedProxies: number
  /** Whether streams write straight to their response. */
  directLane: boolean
}

interface RequestStart {
  request: IncomingMessage
  response: ServerResponse
  server: Server
}

/** Watches every request of this process from now on. */
export function watchServerRequests({
  stallMs,
  trustedProxies,
  directLane,
}: ServerRequestOptions): void {
  subscribe('http.server.request.start', (message) => {
    const { request, response, server } = message as RequestStart
    servers.add(server)
    if (directLane) seatResponse(response)
    if (trustedProxies === 0) dropForwardedFor(request)
    if (isPublish(request)) request.socket.setTimeout(stallMs)
    // The socket counts as idle while what was written does not move; pings keep a healthy one from it.
    if (request.method === 'GET' && asksForStream(request)) {
      request.socket.setTimeout(stallMs)
      // Nobody else reads a body sent along, and behind one unread a reader that leaves goes unnoticed.
      request.resume()
    }
  })
}

let hasWarned = false

/** Where it is not there, Next puts the address of the socket. */
function dropForwardedFor({ headers }: IncomingMessage): void {
  if (headers['x-forwarded-for'] === undefined) return
  delete headers['x-forwarded-for']
  if (hasWarned) return
  hasWarned = true
  log.warn('X-Forwarded-For is not believed. If a proxy of yours sends it, set TRUST_PROXY.')
}

function isPublish({ method, url }: IncomingMessage): boolean {
  return method === 'POST' && url?.startsWith('/events') === true
}

/** Every EventSource says what it wants; curl does not, but knows our paths. */
function asksForStream({ headers, url }: IncomingMessage): boolean {
  return (
    headers.accept?.includes('text/event-stream') === true || url?.startsWith('/events') === true
  )
}
