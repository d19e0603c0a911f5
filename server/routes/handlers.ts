/** The route handlers that Next calls. They render refusals as responses, and write streams directly to Node's response where possible. */
import type { Topics } from '@/protocol/topics/define-topics'
import type { Access } from '@/server/access/access'
import { preflightAnswer, withCors } from '@/server/access/origin/cors'
import { LeftToNext } from '@/server/access/door-ask'
import { headOf, type Answer } from '@/server/answer'
import type { Engine } from '@/server/engine'
import { writeDirectly } from '@/server/node/direct-write'
import type { OfferedRoute } from '@/server/node/front-door'
import { answerOf, Refusal } from '@/server/refusal'
import type { RequestHead, SseRequest } from '@/server/sse/sse-request'
import { readOwnStream, type StreamSource } from './own-stream'
import { publishToTopic, readTopicStream, type TopicRules } from './topic-route'
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

/** Returns the engine, and starts it with the first request. */
type Serving = (request: Request) => Engine

const topicMethods = 'GET, HEAD, OPTIONS, POST'

export interface TopicRouteOptions {
  path: string
  usesFrontDoor: boolean
  /** True when the front door may leave a request to Next. */
  mayLeave: boolean
  accessOf: (engine: Engine) => { atDoor: Access; behindDoor: Access }
  /** Undefined: any topic and any type. */
  topics: Topics | undefined
}

export function topicRoute(
  serving: Serving,
  { path, usesFrontDoor, mayLeave, accessOf, topics }: TopicRouteOptions,
): TopicRoute {
  function handler(method: string): Handler {
    return async (request) => {
      checkMount(request.url, path)
      const engine = serving(request)
      if (usesFrontDoor) engine.door.offer(offered(engine), engine.slots.current()?.server)
      const core = { ...fromWeb(request), method }
      return respond(
        engine,
        await answerTopics(engine, core, { access: accessOf(engine).behindDoor, topics }),
      )
    }
  }

  const route: TopicRoute = {
    GET: handler('GET'),
    // Without this, Next would run GET for HEAD, and never read the body.
    HEAD: handler('HEAD'),
    POST: handler('POST'),
    OPTIONS: handler('OPTIONS'),
  }
  const offered = (engine: Engine): OfferedRoute => ({
    handlers: handlersOf(route),
    path,
    mayLeave,
    answer: (request) => answerAtDoor(engine, request, { access: accessOf(engine).atDoor, topics }),
  })
  return route
}

export function handlersOf(route: TopicRoute): OfferedRoute['handlers'] {
  return route as unknown as OfferedRoute['handlers']
}

/** Undefined: Next has to answer. */
async function answerAtDoor(
  engine: Engine,
  request: SseRequest,
  rules: TopicRules,
): Promise<Answer | undefined> {
  try {
    return await answerTopics(engine, request, rules)
  } catch (error) {
    if (error instanceof LeftToNext) return undefined
    throw error
  }
}

/** Answers a request to the topic route, from Next or from the front door. */
function answerTopics(engine: Engine, request: SseRequest, rules: TopicRules): Promise<Answer> {
  switch (request.method) {
    case 'POST': {
      const turn = engine.slots.takeTurn()
      return engine.publishes.track(
        serve(engine, request, () => publishToTopic(engine, request, rules, turn)).finally(
          turn.end,
        ),
      )
    }
    case 'OPTIONS':
      return Promise.resolve(optionsAnswer(engine, request, topicMethods))
    case 'HEAD':
      return serve(engine, request, () => readTopicStream(engine, request, rules)).then(headOf)
    default:
      return serve(engine, request, () => readTopicStream(engine, request, rules))
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
 * Runs `handle`, renders its refusals, and adds the CORS headers.
 * @throws any error of `handle` that is not a refusal
 */
async function serve(
  { config }: Engine,
  request: RequestHead,
  handle: () => Promise<Answer>,
): Promise<Answer> {
  let answer: Answer
  try {
    refuseImages(request)
    answer = await handle()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    answer = answerOf(error)
  }
  return withCors(config.corsOrigins, request, answer)
}

/**
 * Refuses requests of Next's image optimiser. It fetches any local path, and would wait for the stream to end. Its requests don't come
 * through a socket, so they have no `Host`, only the `X-Forwarded-Host` of the original request.
 */
function refuseImages({ headers }: RequestHead): void {
  if (headers.get('host') === null && headers.get('x-forwarded-host') !== null) {
    throw new Refusal('not-an-image', 'This is a stream of events.')
  }
}

/** Makes the Web response for Next. A stream is written directly to Node's response where possible; then this response is empty. */
function respond({ config, slots }: Engine, answer: Answer): Response {
  const { status, headers, body } = answer
  const isDirect =
    typeof body === 'object' && config.directLane && writeDirectly(slots.current(), body, answer)
  return toWeb(isDirect ? { status, headers, body: undefined } : answer)
}

/** @throws {Error} the route is mounted elsewhere, so clients that request `path` would not find it */
function checkMount(url: string, path: string): void {
  const mount = mountOf(url)
  // A `basePath` may precede the path.
  if (mount.endsWith(path)) return
  throw new Error(
    `This route of topics is mounted at ${mount}, but createSse was given the path ${path}: move the route, or pass { path: '${mount}' }.`,
  )
}
