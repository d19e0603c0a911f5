/**
 * What only Node's own request can do, and a route handler has no hold of. A client that takes nothing, or does not send the rest of
 * its request, is cut off by its socket: a stream can't end itself, because while a chunk waits for the socket, ending the body waits
 * behind it. What a client says of its own address is dropped, before Next believes it. And routes get hold of their response.
 *
 * Node names each connection's and each request's server on a diagnostics channel, which its docs still call experimental.
 * @see https://nodejs.org/api/diagnostics_channel.html#built-in-channels
 */
import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { journal } from '@/server/observe/journal'
import type { FrontDoor } from './front-door'
import type { ResponseSlots } from './response-slots'

export interface ServerRequestOptions {
  /** After this long without a byte, a client whose turn it is gets cut off, in milliseconds. */
  stallMs: number
  /** How many proxies of ours are in front. Where there is none, clients wrote `X-Forwarded-For` themselves. */
  trustedProxies: number
  /** Get the response of each request. */
  slots: ResponseSlots
  /** Asked first. */
  door?: FrontDoor
  /** Corrects the address of a request before Next sees it. */
  mendUrl?: (url: string) => string
  /** Called when Next's own server has closed its listener before anyone could tell us. */
  onStopped: () => void
}

export interface ServerRequests {
  /** Closes the connections on which no request is under way. */
  closeIdleConnections: () => void
}

/** Watches every request of this process from now on. */
export function watchServerRequests(options: ServerRequestOptions): ServerRequests {
  const servers = new Set<Server>()

  function watchOnce(server: Server): void {
    if (servers.has(server)) return
    servers.add(server)
    watch(server, options)
  }

  subscribe('net.server.socket', (message) => {
    const { server } = (message as { socket: { server: object } }).socket
    if ('closeIdleConnections' in server) watchOnce(server as Server)
  })
  // For a server all of whose connections are older.
  subscribe('http.server.request.start', (message) => {
    watchOnce((message as { server: Server }).server)
  })
  return {
    closeIdleConnections() {
      for (const server of servers) server.closeIdleConnections()
    },
  }
}

/** A listener could see a request, but nothing else that is done for it would run within its slot. */
function watch(
  server: Server,
  { stallMs, trustedProxies, slots, door, mendUrl, onStopped }: ServerRequestOptions,
): void {
  const emit = server.emit.bind(server) as (event: string, ...args: unknown[]) => boolean

  server.emit = (event: string, ...args: unknown[]) => {
    if (event === 'upgrade') {
      const [request] = args as [IncomingMessage]
      if (trustedProxies === 0) dropForwardedFor(request)
      limitUpgrade(request.socket, stallMs)
      return emit(event, ...args)
    }
    if (event !== 'request') return emit(event, ...args)

    const [request, response] = args as [IncomingMessage, ServerResponse]
    if (trustedProxies === 0) dropForwardedFor(request)
    // HTTP/1.0 has no `Host`; but only what Next asks itself comes without: see routes/handlers.ts.
    request.headers.host ??= ''
    if (mendUrl && request.url !== undefined) request.url = mendUrl(request.url)
    if (hasStopped(server)) onStopped()
    // Between requests Node has a timeout of its own.
    request.socket.setTimeout(stallMs)
    response.on('timeout', onSilence)
    return slots.run(response, server, () => {
      const toNext = (): boolean => emit(event, ...args)
      return door?.take(server, request, response, toNext) === true || toNext()
    })
  }
}

/** Requests of whose body something was still unread when their socket last fell silent. */
const unread = new WeakSet<IncomingMessage>()

/** Nothing has moved for a while. Pings keep the socket of a healthy reader from that. */
function onSilence(this: ServerResponse, socket: Socket): void {
  const { req: request } = this
  const hasUnread = request.readableLength > 0
  // If it has been read since, the silence may be older than the client's turn.
  const owesBody = !request.complete && !hasUnread && !unread.delete(request)
  if (hasUnread) unread.add(request)
  if (owesBody || socket.writableLength > 0) socket.destroy()
  // It is the answer that takes its time.
  else socket.setTimeout(socket.timeout ?? 0)
}

/** Next leaves the socket open when it knows nothing by that path, for another listener to answer. */
function limitUpgrade(socket: Socket, stallMs: number): void {
  const { bytesWritten } = socket
  const timer = setTimeout(() => {
    if (socket.bytesWritten === bytesWritten) socket.destroy()
  }, stallMs)
  socket.once('close', () => clearTimeout(timer))
}

/** True when Next's own server has closed its listener by a signal that came before instrumentation ran: we were not told. */
function hasStopped({ listening }: Server): boolean {
  return !listening && process.env['__NEXT_PRIVATE_ORIGIN'] !== undefined
}

let hasWarned = false

/** Where it is not there, Next puts the address of the socket. */
function dropForwardedFor(request: IncomingMessage): void {
  const { headers } = request
  if (headers['x-forwarded-for'] === undefined) return
  delete headers['x-forwarded-for']
  if (hasWarned || isLikeNexts(request)) return
  hasWarned = true
  journal.warn('X-Forwarded-For is not believed. If a proxy of yours sends it, set TRUST_PROXY.')
}

/**
 * After a server action that redirects or belongs to another page, Next asks itself, with the action's headers and the address it had
 * added to them. A proxy on this machine passes on such requests too, but not only such.
 */
function isLikeNexts({ headers, socket }: IncomingMessage): boolean {
  const isFromHere = socket.remoteAddress === socket.localAddress
  return isFromHere && ('rsc' in headers || 'x-action-forwarded' in headers)
}
