/**
 * What only Node's own request can do, and a route handler has no hold of: a stream whose reader takes nothing is closed by its
 * socket. The stream itself can't, because while a chunk waits for the socket, ending the body waits behind it.
 * @see https://nodejs.org/api/diagnostics_channel.html#http
 */
import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, Server } from 'node:http'
import { oncePerProcess } from '@/events/once-per-process'

const servers = oncePerProcess('servers', () => new Set<Server>())

/** Closes the connections on which no request is under way. */
export function closeIdleConnections(): void {
  for (const server of servers) server.closeIdleConnections()
}

/** Watches every request of this process from now on. A stream is closed once nothing could be written for `stallMs`. */
export function watchServerRequests({ stallMs }: { stallMs: number }): void {
  subscribe('http.server.request.start', (message) => {
    const { request, server } = message as { request: IncomingMessage; server: Server }
    servers.add(server)
    // The socket counts as idle while what was written does not move; pings keep a healthy one from it.
    if (request.method === 'GET' && asksForStream(request)) {
      request.socket.setTimeout(stallMs)
      // Nobody else reads a body sent along, and behind one unread a reader that leaves goes unnoticed.
      request.resume()
    }
  })
}

/** Every EventSource says what it wants; curl does not, but knows our paths. */
function asksForStream({ headers, url }: IncomingMessage): boolean {
  return (
    headers.accept?.includes('text/event-stream') === true || url?.startsWith('/events') === true
  )
}
