/** The handlers that Next calls: refusals are rendered, and streams leave the shortest way. */
import { preflightAnswer, withCors } from '@/server/access/cors'
import { headOf, type Answer } from '@/server/answer'
import type { Engine } from '@/server/engine'
import { writeDirectly } from '@/server/node/direct-write'
import type { OfferedRoute } from '@/server/node/front-door'
import { answerOf, Refusal } from '@/server/refusal'
import type { RequestHead, SseRequest } from '@/server/sse-request'
import { readOwnStream, type StreamSource } from './own-stream'
import { publishToTopic, readTopicStream } from './topic-route'
import { mountOf } from './topics-in-path'
import { fromWeb, toWeb } from './web-request'

type Handler = (request: Request) => Promise<Response>

export interface TopicRoute {
  /** A stream of 1 to 32 topics: `{path}/{topic},{topic}`. */
  GET: Handler
  HEAD: Handler
  /** Publishes the body to one topic: `{path}/{topic}`. */
  POST: Handler
  OPTIONS: Handler
}

/** The dynamic segments of a route's path. */
export type RouteParams = Record<string, string | string[] | undefined>

type OwnHandler<Params> = (
  request: Request,
  context: { params: Promise<Params> },
) => Promise<Response>

export interface StreamRoute<Params> {
  GET: OwnHandler<Params>
  HEAD: OwnHandler<Params>
  OPTIONS: Handler
}

/** The engine, started for a request that a server has received. */
type Serving = (request: Request) => Engine

const topicMethods = 'GET, HEAD, OPTIONS, POST'

export function topicRoute(
  serving: Serving,
  { path, usesFrontDoor }: { path: string; usesFrontDoor: boolean },
): TopicRoute {
  function handler(method: string): Handler {
    return async (request) => {
      checkMount(request.url, path)
      const engine = serving(request)
      if (usesFrontDoor) engine.door.offer(offered(engine), engine.slots.current()?.server)
      return respond(engine, await answerTopics(engine, { ...fromWeb(request), method }))
    }
  }

  const route: TopicRoute = {
    GET: handler('GET'),
    // Next's own HEAD would run GET and never read its body.
    HEAD: handler('HEAD'),
    POST: handler('POST'),
    OPTIONS: handler('OPTIONS'),
  }
  const offered = (engine: Engine): OfferedRoute => ({
    handlers: route as unknown as OfferedRoute['handlers'],
    path,
    answer: (request) => answerTopics(engine, request),
  })
  return route
}

/** The route of topics, for a request that came by Next or by the front door. */
async function answerTopics(engine: Engine, request: SseRequest): Promise<Answer> {
  switch (request.method) {
    case 'POST':
      return await engine.publishes.track(
        serve(engine, request, () => publishToTopic(engine, request)),
      )
    case 'OPTIONS':
      return optionsAnswer(engine, request, topicMethods)
    case 'HEAD':
      return headOf(await serve(engine, request, () => readTopicStream(engine, request)))
    default:
      return await serve(engine, request, () => readTopicStream(engine, request))
  }
}

export function streamRoute<Params extends RouteParams>(
  serving: Serving,
  source: StreamSource<Params>,
): StreamRoute<Params> {
  async function answer(
    engine: Engine,
    request: Request,
    { params }: { params: Promise<Params> },
  ): Promise<Answer> {
    const core = fromWeb(request)
    const context = { request, params: await params }
    return await serve(engine, core, () => readOwnStream(engine, core, source, context))
  }

  return {
    async GET(request, context) {
      const engine = serving(request)
      return respond(engine, await answer(engine, request, context))
    },
    async HEAD(request, context) {
      const engine = serving(request)
      return respond(engine, headOf(await answer(engine, request, context)))
    },
    async OPTIONS(request) {
      const engine = serving(request)
      return respond(engine, optionsAnswer(engine, request, 'GET, HEAD, OPTIONS'))
    },
  }
}

function optionsAnswer({ config }: Engine, request: RequestHead, methods: string): Answer {
  const { corsOrigins } = config
  return withCors(corsOrigins, request, preflightAnswer(corsOrigins, request, methods))
}

/**
 * Renders what `handle` answers or refuses, and lets pages of the allowed origins read it.
 * @throws whatever `handle` throws that is no refusal
 */
async function serve(
  { config }: Engine,
  request: RequestHead,
  handle: () => Promise<Answer>,
): Promise<Answer> {
  const answer = await answerOrRefuse(request, handle)
  return withCors(config.corsOrigins, request, answer)
}

async function answerOrRefuse(
  request: RequestHead,
  handle: () => Promise<Answer>,
): Promise<Answer> {
  try {
    refuseImages(request)
    return await handle()
  } catch (error) {
    if (error instanceof Refusal) return answerOf(error)
    throw error
  }
}

/**
 * Next's image optimiser fetches any local path, and would wait for a stream's end for ever. Its requests come by no socket: they have
 * no `Host`, but the one that the optimiser itself was asked by.
 */
function refuseImages({ headers }: RequestHead): void {
  if (headers.get('host') === null && headers.get('x-forwarded-host') !== null) {
    throw new Refusal('not-an-image', 'This is a stream of events.')
  }
}

/** The answer as Next wants it. A stream leaves by Node's own response where it can. */
function respond({ config, slots }: Engine, answer: Answer): Response {
  const { status, headers, body } = answer
  const isDirect =
    typeof body === 'object' && config.directLane && writeDirectly(slots.current(), body, answer)
  return toWeb(isDirect ? { status, headers, body: undefined } : answer)
}

/** @throws the route is mounted elsewhere: the client, which asks at `path`, would not find it */
function checkMount(url: string, path: string): void {
  const mount = mountOf(url)
  // Before it there may be a `basePath`.
  if (mount.endsWith(path)) return
  throw new Error(
    `This route of topics is mounted at ${mount}, but createSse was given the path ${path}: move the route, or pass { path: '${mount}' }.`,
  )
}
