/** The server side of an app: one object from which an app takes its routes, and with which it publishes and reads. */
import type { Topics } from '@/protocol/topics/define-topics'
import type { Preloaded } from '@/protocol/preloaded'
import type { TopicName } from '@/protocol/topics/topic-types'
import { describeAuthorize } from '@/server/access/describe-access'
import { processEngine, type Engine } from '@/server/engine'
import { adoptKeep } from '@/server/keep'
import {
  appendDisconnect,
  readTarget,
  type DisconnectTarget,
} from '@/server/hub/rights/disconnects'
import type { ReadFrom } from '@/server/hub/read-events'
import { preloadTopics, type FromRun } from './preload'
import { requestHeaders } from './request-scope'
import {
  handlersOf,
  streamRoute,
  topicRoute,
  type RouteParams,
  type StreamRoute,
  type TopicRoute,
} from '@/server/routes/handlers'
import { healthAnswer, metricsAnswer } from '@/server/routes/health-and-metrics'
import type { StreamSource } from '@/server/routes/own-stream'
import { checkPath, readOwnRules, type SseOptions } from './sse-options'
import { topicAccess, type TopicAccess } from './topic-access'
import { createTopicPublisher, type TopicPublisher } from './topic-publisher'
import { createTopicReader, type TopicReader } from './topic-reader'
import { createTopicRefresh, type TopicRefresh } from './topic-refresh'
import { createTopicRuns, type TopicRuns } from './topic-runs'

/** `T` is the type of the defined topics: `Sse<typeof topics>`. */
export interface Sse<T extends Topics | undefined = undefined>
  extends TopicPublisher<T>, TopicReader<T>, TopicRefresh<T>, TopicRuns<T> {
  /**
   * The handlers of the route of topics.
   *
   * @example
   * // app/events/[topics]/route.ts
   * export const { GET, HEAD, POST, OPTIONS } = sse.topicRoute
   */
  readonly topicRoute: TopicRoute
  /**
   * The handlers of a stream of your own events. The source is called once for each reader. It can throw a `Refusal` to refuse the
   * reader, or return undefined to tell the reader not to reconnect.
   *
   * @example
   * // app/ticks/route.ts
   * export const { GET, HEAD } = sse.streamRoute(async function* ({ signal }) {
   *   for await (const _ of setInterval(1_000, undefined, { signal })) yield { data: new Date().toISOString() }
   * })
   */
  streamRoute: <Params extends RouteParams = RouteParams>(
    source: StreamSource<Params>,
  ) => StreamRoute<Params>
  /** `GET` answers 200 when this process can serve streams and publishes now, else 503. The body's `status` says why. */
  readonly healthRoute: { GET: (request: Request) => Promise<Response> }
  /** `GET` answers with the metrics of this process, as Prometheus text. */
  readonly metricsRoute: { GET: (request: Request) => Promise<Response> }
  /**
   * Reads what `history` reads for the reader who asked for the page, as the `initial` of `useTopics`: the page is rendered with the
   * events, and continues after them. Checks that the reader may read the topics, by the headers of the request for the page. If not, the
   * stream is `failed` from the first render. Default: no events, only the place from which to continue. With `{ run: 'latest' }`, as the
   * `initial` of `useRun`: the run of the topic that began last.
   *
   * @throws {ReadError} the topics or the start are invalid
   * @throws {Refusal} with a status from 500: the reader may be allowed later
   * @throws {LogError} `unavailable` or `closed`
   * @throws outside of a request, and in `'use cache'`
   *
   * @example
   * <Orders initial={await sse.preload(['orders'], { last: 20 })} />
   */
  preload: (
    topics: TopicName<T> | readonly TopicName<T>[],
    from?: ReadFrom | FromRun,
  ) => Promise<Preloaded>
  /**
   * Ends the streams of a user, of one login, or of topics, on every server of the log: call it at a logout, or when a user loses a
   * right. No event that is published after it resolves reaches a stream that was granted before. The readers are asked to come back at
   * once, and `authorize`, or the token, decides again. So end the session first. Streams of public topics, and those of `streamRoute`, go
   * on. Topics may be patterns: `orders.*` or `*`.
   *
   * @throws {DisconnectError} the target says nothing, or more than one thing: `{}`, `{ subject: undefined }`
   * @throws {LogError} the log could not take it, so nothing was disconnected
   *
   * @example
   * await sse.disconnect({ subject: session.userId })
   */
  disconnect: (target: DisconnectTarget) => Promise<void>
  /**
   * Checks the configuration, opens the log, and watches the requests of this process's servers. The first request would do the same.
   * Call this when the process starts, to find a wrong setting at once.
   *
   * @throws {ConfigError} a variable can't be understood
   * @throws {LogError} `unavailable`: the log's file can't be opened or written
   */
  start: () => Promise<void>
  /** Ends every stream and every run of this process, and closes the log. */
  close: () => Promise<void>
}

/**
 * The one server object of an app. Does nothing by itself: the environment is read, and the log opened, when it is first used.
 *
 * @example
 * // sse.ts
 * import { createSse } from 'next-sse'
 * export const sse = createSse()
 */
export function createSse<T extends Topics | undefined = undefined>({
  topics,
  path = '/events',
  frontDoor = 'auto',
  keep,
  ...ownOptions
}: SseOptions<T> = {}): Sse<T> {
  checkPath(path)
  const rules = keep && adoptKeep(keep)
  const own = readOwnRules(ownOptions)
  let access: TopicAccess | undefined

  /** Made once: there is one engine in a process. */
  function accessOf(engine: Engine): TopicAccess {
    const shut = (reason: string): void => engine.door.shut(handlersOf(route), reason)
    return (access ??= topicAccess(engine, own, shut))
  }

  /** Says once who may, and what is kept, where the start could only tell what the environment says. */
  function describe({ config, tellOnce }: Engine): void {
    if (rules) tellOnce(rules.describe(config))
    if (!own) return
    const { publicTopics, jwtSecret, jwksUrl } = config
    const acceptsTokens = (jwtSecret ?? jwksUrl) !== undefined
    tellOnce(describeAuthorize(own.authorize, { publicTopics, acceptsTokens }))
  }

  /** The engine, for a request that Next's server received. */
  function serving(request: Request): Engine {
    // With `cacheComponents`, `next build` calls each `GET` whose path has no parameter, to keep what it answers. Reading the URL
    // tells it that the answer depends on the request, and ends the call here: a build makes no engine.
    void request.url
    const engine = processEngine()
    // A script or a test has no server of Next's.
    if (process.env['NEXT_RUNTIME'] === 'nodejs') engine.watchServer({ isEarly: false })
    describe(engine)
    return engine
  }

  const route = topicRoute(serving, {
    path,
    usesFrontDoor: frontDoor === 'auto',
    mayLeave: own !== undefined,
    accessOf,
    topics,
  })

  return {
    topicRoute: route,
    streamRoute: (source) => streamRoute(serving, source),
    healthRoute: { GET: (request) => healthAnswer(serving(request)) },
    metricsRoute: { GET: (request) => metricsAnswer(serving(request)) },
    ...createTopicPublisher(topics),
    ...createTopicReader(topics),
    ...createTopicRefresh(topics, path),
    async preload(names, from = { last: 0 }) {
      const headers = await requestHeaders()
      const engine = processEngine()
      const { behindDoor } = accessOf(engine)
      return await preloadTopics(engine, {
        topics: names,
        defined: topics,
        from,
        path,
        headers,
        access: behindDoor,
      })
    },
    ...createTopicRuns(topics),
    async disconnect(target) {
      const disconnect = readTarget(target)
      const { log } = await processEngine().hub()
      await appendDisconnect(log, disconnect)
    },
    async start() {
      const engine = processEngine()
      await engine.hub()
      engine.runs.watch()
      if (process.env['NEXT_RUNTIME'] === 'nodejs') engine.watchServer({ isEarly: true })
      describe(engine)
    },
    async close() {
      await processEngine().close()
    },
  }
}
