/**
 * Answers requests for topics from Node's own server, before Next sees them: Next's own cost of a request is several times that of
 * publishing an event or opening a stream.
 *
 * The door opens on proof. The first request goes through Next, and when it reaches a handler of ours, the built route is looked up. If
 * it exports that very function, then requests for the route's path, on that server, are answered here; but each request that anything
 * else of the app might match still goes through Next: a proxy, a redirect, a rewrite, a conditional header, another route.
 */
import { channel } from 'node:diagnostics_channel'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Answer } from '@/server/answer'
import { journal } from '@/server/observe/journal'
import type { SseRequest } from '@/server/sse/sse-request'
import { findBuiltRoute, type BuiltRoute } from './built-app'
import { fromNode, sendToNode } from './node-request'

/** Answers a request to the route of topics. Undefined: Next must answer it; nothing of its body has been read. */
export type AnswerRequest = (request: SseRequest) => Promise<Answer | undefined>

/** What a route has to offer: the functions that it exports, and how it answers. */
export interface OfferedRoute {
  handlers: Readonly<Record<string, unknown>>
  /** Where it is mounted, without a `basePath`. */
  path: string
  /** True when `answer` may leave a request to Next. Default false. */
  mayLeave?: boolean
  answer: AnswerRequest
}

/** `on`: also on a server that the app itself has made, which is then known to hand each request to Next as it came. */
export type FrontDoorSetting = 'auto' | 'on' | 'off'

export interface FrontDoor {
  /** Called when a request has reached a handler of the route through Next, on this server. */
  offer: (route: OfferedRoute, server: Server | undefined) => void
  /** Answers the request, or returns false: then it is Next's. Calls `leave` when it turns out to be Next's later. */
  take: (
    server: Server,
    request: IncomingMessage,
    response: ServerResponse,
    leave?: () => void,
  ) => boolean
  /** Leaves all requests of the route to Next from now on, and tells the journal why. */
  shut: (handlers: OfferedRoute['handlers'], reason: string) => void
}

interface OpenRoute {
  built: BuiltRoute
  mayLeave: boolean
  answer: AnswerRequest
}

/** Tells tracers of the requests that Next does not see: `{ request, response }`, when one is taken; its end is the response's `close`. */
const taken = channel('next-sse.request')

export function createFrontDoor({ setting }: { setting: FrontDoorSetting }): FrontDoor {
  const routesOf = new WeakMap<Server, OpenRoute[]>()
  const offeredTo = new WeakMap<Server, WeakSet<object>>()
  const looked = new WeakMap<object, BuiltRoute | undefined>()
  const shutAgain = new WeakSet<BuiltRoute>()

  /** Looks the route up once, and tells the journal what became of it. */
  function lookUp({ handlers, path }: OfferedRoute): BuiltRoute | undefined {
    if (looked.has(handlers)) return looked.get(handlers)
    const built = find(handlers, path)
    looked.set(handlers, built)
    return built
  }

  return {
    offer(route, server) {
      const { handlers, mayLeave = false, answer } = route
      if (!server || setting === 'off') return
      const offered = offeredTo.get(server) ?? new WeakSet()
      if (offered.has(handlers)) return
      offeredTo.set(server, offered.add(handlers))
      if (setting === 'auto' && !isNexts(server)) {
        tellShut(
          'a server of the app has the request first. Does it do nothing but ask Next? Then set FRONT_DOOR=on.',
        )
        return
      }
      const built = lookUp(route)
      if (!built) return
      routesOf.set(server, [...(routesOf.get(server) ?? []), { built, mayLeave, answer }])
    },
    take(server, request, response, leave) {
      const routes = routesOf.get(server)
      // Another listener would miss the request.
      if (!routes || server.listenerCount('request') > 1) return false
      const { url = '', method = '', headers } = request
      // Next's router asks for a component: Next redirects it to an address of its own.
      if (headers['rsc'] !== undefined) return false
      const path = url.split('?', 1)[0] ?? ''
      const route = routes.find(
        ({ built }) =>
          built.methods.has(method) &&
          built.otherMatch(path) === undefined &&
          !shutAgain.has(built),
      )
      if (!route) return false
      if (!route.mayLeave) tellTaken(response)
      void serve(route, path, response, leave)
      return true
    },
    shut(handlers, reason) {
      const built = looked.get(handlers)
      if (!built || shutAgain.has(built)) return
      shutAgain.add(built)
      tellShut(reason)
    },
  }
}

function tellTaken(response: ServerResponse): void {
  if (taken.hasSubscribers) taken.publish({ request: response.req, response })
}

function find(handlers: OfferedRoute['handlers'], path: string): BuiltRoute | undefined {
  try {
    const built = findBuiltRoute(handlers, path)
    const { pattern, methods, wrapped } = built
    const open = `The front door is open for ${pattern}: ${[...methods].join(', ')}.`
    journal.info(wrapped.length > 0 ? `${open} Wrapped: ${wrapped.join(', ')}.` : open)
    return built
  } catch (error) {
    tellShut(error instanceof Error ? error.message : String(error))
    return undefined
  }
}

function tellShut(reason: string): void {
  journal.info(`The front door is shut, and requests go through Next: ${reason}`)
}

/**
 * True for the server of `next start` and of a standalone build. Any other may refuse a request, or answer it, before Next sees it: the
 * door would pass it by.
 */
function isNexts(server: Server): boolean {
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  // Next sets both when it listens.
  return process.env['__NEXT_PRIVATE_ORIGIN'] !== undefined && process.env['PORT'] === String(port)
}

async function serve(
  { built, mayLeave, answer }: OpenRoute,
  path: string,
  response: ServerResponse,
  leave?: () => void,
): Promise<void> {
  try {
    const answered = await answer(fromNode(response.req))
    if (!answered) {
      // A client that has left waits for no answer.
      if (!response.destroyed) leave?.()
      return
    }
    if (mayLeave) tellTaken(response)
    sendToNode(response, answered, built.headersFor(path))
  } catch (error) {
    journal.error({ err: error }, 'A request failed.')
    if (response.headersSent) {
      response.destroy()
      return
    }
    // Node has noted the length of the answer that could not be sent, so this one says its own.
    const text = 'Internal Server Error'
    response.writeHead(500, ['Content-Length', String(text.length)]).end(text)
  }
}
