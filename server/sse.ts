/** The server side of an app: one object from which an app takes its routes, and with which it publishes and reads. */
import { parseDuration } from '@/protocol/duration'
import type { Preloaded } from '@/protocol/preloaded'
import type { Access } from './access/access'
import { readAuthorize, type Authorize, type Revalidate } from './access/authorize'
import { describeAuthorize } from './access/describe-access'
import { ownAccess, type OwnRules } from './access/own-access'
import { tokenAccess } from './access/token-access'
import { processEngine, type Engine } from './engine'
import { publishTo, PublishError, type TextEvent } from './hub/publish'
import { historyOf, readEvents, type ReadFrom, type TopicEvent } from './hub/read-events'
import type { Appended } from './log/event-log'
import { preloadTopics } from './preload'
import { requestHeaders, untilRequest } from './request-scope'
import {
  streamRoute,
  topicRoute,
  type RouteParams,
  type StreamRoute,
  type TopicRoute,
} from './routes/handlers'
import { healthAnswer, metricsAnswer } from './routes/health-and-metrics'
import type { StreamSource } from './routes/own-stream'
import type { RunSource } from './runs/local-run'
import type { RunInfo, RunOptions, StartedRun, StopOptions } from './runs/runs'

export interface SseOptions {
  /** Where the route of topics is mounted, without a `basePath`. Default `/events`. */
  path?: string | undefined
  /**
   * Says who may read and publish over HTTP, by looking at the app's own session. A function answers for reading alone, and nobody may
   * publish over HTTP; an object answers for each action that it names, and closes the others. It is asked once a request, about topics
   * that `PUBLIC_TOPICS` does not name, and nothing else is: no token counts any more. Default: the tokens of `EVENTS_JWT_SECRET`.
   *
   * @example
   * createSse({
   *   authorize: async ({ topics, request }) => {
   *     const session = await readSession(request)
   *     if (!session) return { subject: undefined } // 401
   *     const isTheirs = topics.every((topic) => topic === `user.${session.userId}`)
   *     return isTheirs && { subject: session.userId, until: session.expiresAt }
   *   },
   * })
   */
  authorize?: Authorize | undefined
  /**
   * How long a stream goes on after `authorize` has granted it: after 0.8 to 1 times this long, its reader is asked to come back, and
   * `authorize` is asked about the new request. So a reader who has logged out is gone after this long at the latest. A duration such as
   * `30s` or `10m`. Default `5m`.
   */
  recheck?: string | undefined
  /**
   * Confirms a grant when `recheck` is over, without a request, and spares the reader to come back: look the session up by its key. True
   * lets the stream go on for as long again. With anything else, the reader comes back, and `authorize` is asked. Default: none.
   *
   * @example
   * createSse({ authorize, revalidate: async ({ sessionKey }) => await sessions.exists(sessionKey) })
   */
  revalidate?: Revalidate | undefined
  /**
   * `auto`: in a production build, requests for topics are answered before Next sees them, unless something else in the app could match
   * them. The journal says whether this is active. On a server of your own it also takes `FRONT_DOOR=on`. `off`: all requests go through
   * Next. Default `auto`; `FRONT_DOOR=off` has the last word.
   */
  frontDoor?: 'auto' | 'off' | undefined
}

/** An event to publish. */
export interface NewEvent {
  /** The type that a reader listens to. Default `message`. */
  type?: string | undefined
  /** Any JSON value. The event's data is the text that `JSON.stringify` returns. */
  data: unknown
}

export interface PublishOptions {
  /**
   * Makes the call safe to repeat: a second call with the same key and events publishes nothing, and resolves with the same ids. A key
   * belongs to one topic, and is remembered as long as the events are kept.
   */
  idempotencyKey?: string | undefined
}

export interface Sse {
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
   * Publishes one event, or several together: all of them or none. Resolves once the log has stored them. Every reader of the topic gets
   * them, including readers of other processes on the same log, and readers that connect later. Does not check permissions: check your
   * session first.
   *
   * @throws {PublishError} the topic, a type or an event can't be published
   * @throws {LogError} the log could not take them
   *
   * @example
   * await sse.publish('orders', 'order.paid', { id, amount })
   */
  publish: {
    (topic: string, type: string, data: unknown, options?: PublishOptions): Promise<Appended>
    (topic: string, events: readonly NewEvent[], options?: PublishOptions): Promise<Appended>
  }
  /**
   * Reads the kept events of the topics, oldest first, and a cursor. A stream that starts after this cursor continues without a gap.
   * Default: all kept events. Does not check permissions: check your session first. In a page this needs a request, as Next's
   * `connection()` does: with `cacheComponents`, put the component into a `<Suspense>`. In `'use cache'` it throws.
   *
   * @throws {ReadError} the topics or the start are invalid
   * @throws {LogError} `unavailable` or `closed`
   *
   * @example
   * const { events } = await sse.history('orders', { last: 20 })
   */
  history: (
    topics: string | readonly string[],
    from?: ReadFrom,
  ) => Promise<{ events: TopicEvent[]; cursor: string }>
  /**
   * Reads what `history` reads for the reader who asked for the page, as the `initial` of `useTopics`: the page is rendered with the
   * events, and continues after them. Checks that the reader may read the topics, by the headers of the request for the page. If not, the
   * stream is `failed` from the first render. Default: no events, only the place from which to continue.
   *
   * @throws {ReadError} the topics or the start are invalid
   * @throws {Refusal} with a status from 500: the reader may be allowed later
   * @throws {LogError} `unavailable` or `closed`
   * @throws outside of a request, and in `'use cache'`
   *
   * @example
   * <Orders initial={await sse.preload(['orders'], { last: 20 })} />
   */
  preload: (topics: string | readonly string[], from?: ReadFrom) => Promise<Preloaded>
  /**
   * Yields the kept events of the topics from the start on, then each new one, until `signal` aborts or the loop ends. Default start:
   * now. Does not check permissions.
   *
   * @throws {ReadError} the topics or the start are invalid
   * @throws {EventsLostError} events were removed before they were read, or the log lost events
   * @throws {LogError} `unavailable` or `closed`
   *
   * @example
   * for await (const event of sse.read('orders', { since: '1h', signal })) await handle(event)
   */
  read: (
    topics: string | readonly string[],
    options?: ReadFrom & { signal?: AbortSignal | undefined },
  ) => AsyncIterable<TopicEvent>
  /**
   * Begins a run: long work whose values are events of the topic, such as an AI answer or an import. Resolves once it has begun; the work
   * goes on in this process, whether anybody watches or not. Does not check permissions.
   *
   * When another run of the topic lives, it is joined: see `onLiving`. A source that throws makes the run `failed`; what the error said
   * goes to the journal.
   *
   * @throws {RunError} `run-living`: another run lives, and `onLiving` is `refuse`. `invalid-id`
   * @throws {PublishError} `invalid-topic`
   * @throws {LogError} `busy`, `unavailable` or `closed`
   *
   * @example
   * await sse.run('import.42', async function* ({ signal }) {
   *   for (const [index, row] of rows.entries()) {
   *     signal.throwIfAborted()
   *     await insert(row)
   *     yield { type: 'progress', data: { done: index + 1, total: rows.length } }
   *   }
   * })
   */
  run: (topic: string, source: RunSource, options?: RunOptions) => Promise<StartedRun>
  /**
   * Stops the living run of the topic, in whichever process it is produced: aborts the signal of its source. Resolves with the run as it
   * stands, without waiting for its end. A run that has not begun yet, named by its id, is stopped when it begins within 15 s. Does not
   * check permissions.
   *
   * @throws {RunError} `invalid-id`
   * @throws {PublishError} `invalid-topic`
   * @throws {LogError} `busy`, `unavailable` or `closed`
   */
  stop: (topic: string, options?: Pick<StopOptions, 'id'>) => Promise<RunInfo | undefined>
  /**
   * The run of the topic that began last. Undefined when there was none, or it is forgotten, seven days after its events.
   *
   * @throws {PublishError} `invalid-topic`
   * @throws {LogError} `unavailable` or `closed`
   */
  runOf: (topic: string) => Promise<RunInfo | undefined>
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
export function createSse({
  path = '/events',
  frontDoor = 'auto',
  ...ownOptions
}: SseOptions = {}): Sse {
  checkPath(path)
  const own = readOwnRules(ownOptions)
  let access: Access | undefined

  /** Made once: there is one engine in a process. */
  function accessOf({ tokenRules, config }: Engine): Access {
    return (access ??= own ? ownAccess(own, config) : tokenAccess(tokenRules))
  }

  /** Says once who may, where the start could only tell what the environment says. */
  function describe({ config, tellOnce }: Engine): void {
    if (!own) return
    const { publicTopics, jwtSecret } = config
    tellOnce(describeAuthorize(own.authorize, { publicTopics, hasSecret: jwtSecret !== undefined }))
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

  return {
    topicRoute: topicRoute(serving, {
      path,
      usesFrontDoor: frontDoor === 'auto' && !own,
      accessOf,
    }),
    streamRoute: (source) => streamRoute(serving, source),
    healthRoute: { GET: (request) => healthAnswer(serving(request)) },
    metricsRoute: { GET: (request) => metricsAnswer(serving(request)) },
    async publish(
      topic: string,
      typeOrEvents: string | readonly NewEvent[],
      dataOrOptions?: unknown,
      ofOne?: PublishOptions,
    ) {
      const isOne = typeof typeOrEvents === 'string'
      const events = isOne ? [{ type: typeOrEvents, data: dataOrOptions }] : typeOrEvents
      const { idempotencyKey } = (isOne ? ofOne : (dataOrOptions as PublishOptions)) ?? {}
      const engine = processEngine()
      const texts = events.map(toText)
      const { log } = await engine.hub()
      return await publishTo(log, topic, texts, {
        eventMaxBytes: engine.config.eventMaxBytes,
        idempotency:
          idempotencyKey === undefined
            ? undefined
            : { key: idempotencyKey, fingerprint: JSON.stringify(texts) },
      })
    },
    async history(topics, from = {}) {
      await untilRequest()
      const { log } = await processEngine().hub()
      return await historyOf(log, topics, from)
    },
    async preload(topics, from = { last: 0 }) {
      const headers = await requestHeaders()
      const engine = processEngine()
      return await preloadTopics(engine, { topics, from, path, headers, access: accessOf(engine) })
    },
    async *read(topics, { signal = new AbortController().signal, ...from } = {}) {
      const { log } = await processEngine().hub()
      yield* readEvents(log, topics, from, signal)
    },
    async run(topic, source, options) {
      const engine = processEngine()
      // Even where no route was asked yet: a process that is told to stop waits for its runs.
      if (process.env['NEXT_RUNTIME'] === 'nodejs') engine.watchServer({ isEarly: false })
      return await engine.runs.run(topic, source, options)
    },
    stop: async (topic, { id } = {}) => await processEngine().runs.stop(topic, { id }),
    runOf: async (topic) => await processEngine().runs.find(topic),
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

function toText({ type = 'message', data }: NewEvent): TextEvent {
  const text = JSON.stringify(data) as string | undefined
  if (text !== undefined) return { type, data: text }
  throw new PublishError('invalid-data', 'The data of an event must be a JSON value.')
}

/** @throws {Error} one of the options can't be understood */
function readOwnRules({
  authorize,
  recheck,
  revalidate,
}: Pick<SseOptions, 'authorize' | 'recheck' | 'revalidate'>): OwnRules | undefined {
  if (!authorize) {
    if (recheck === undefined && revalidate === undefined) return undefined
    throw new Error('createSse: recheck and revalidate are about what authorize has granted.')
  }
  readAuthorize(authorize)
  const recheckMs = parseDuration(recheck ?? '5m')
  if (recheckMs !== undefined && recheckMs > 0) return { authorize, recheckMs, revalidate }
  throw new Error('createSse: recheck must be a duration such as 30s, 5m or 1h.')
}

function checkPath(path: string): void {
  if (/^(?:\/[\w.~-]+)+$/.test(path)) return
  throw new Error(`createSse: the path must look like /events, not ${JSON.stringify(path)}.`)
}
