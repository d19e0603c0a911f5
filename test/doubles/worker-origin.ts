/** For tests of streams that a worker reads over one connection: the topic route of a real server, over real sockets. */
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { EventSource as NodeEventSource } from 'eventsource'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import { createController, type Controller } from '@/client/controller'
import { initialStreamProgress, type StreamProgress } from '@/client/stream-state'
import { ownAccess } from '@/server/access/own-access'
import { processEngine } from '@/server/engine'
import { fromNode, sendToNode } from '@/server/node/node-request'
import { answerOf, Refusal } from '@/server/refusal'
import { readTopicStream } from '@/server/routes/topic-route'
import { createMultiplexer, type Multiplexer } from '@/client/tabs/multiplexer'

vi.stubEnv('EVENTS_URL', 'memory:')
vi.stubEnv('RETRY', '20ms')
vi.stubEnv('LIMIT_STREAMS', '0')

export const engine = processEngine()
const access = ownAccess(
  {
    authorize: ({ topics }) => !origin.refuses(topics) && { subject: origin.user },
    recheckMs: 60_000,
    revalidate: undefined,
  },
  engine.config,
)

export const answerReally: RequestListener = (request, response) => {
  readTopicStream(engine, fromNode(request), { access, topics: undefined }).then(
    (answer) => sendToNode(response, answer),
    (error: unknown) => {
      if (!(error instanceof Refusal)) throw error
      sendToNode(response, answerOf(error))
    },
  )
}

function emptyOrigin() {
  return {
    /** Who the browser's cookie says it is. */
    user: 'anna',
    /** Whether the server refuses these topics. */
    refuses: (() => false) as (topics: readonly string[]) => boolean,
    answer: answerReally,
    requests: new Array<{ url: string; response: ServerResponse }>(),
    /** How many connections the worker has, and the most that it had at once. */
    connections: 0,
    mostConnections: 0,
  }
}

/** The server, and what it knows: fresh for each test. */
export const origin = emptyOrigin()

let server: Server
let url = ''
let topicsMade = 0
let multiplexer: Multiplexer
let streams: Stream[] = []

class CountedEventSource extends NodeEventSource {
  constructor(...given: ConstructorParameters<typeof NodeEventSource>) {
    super(...given)
    origin.connections++
    origin.mostConnections = Math.max(origin.mostConnections, origin.connections)
  }

  override close(): void {
    if (this.readyState !== this.CLOSED) origin.connections--
    super.close()
  }
}

export interface Stream {
  heard: string[]
  progress: StreamProgress
  controller: Controller
}

export function openRequests(): string[] {
  return origin.requests.flatMap((request) => (request.response.closed ? [] : [request.url]))
}

export function newTopics(count: number): [string, ...string[]] {
  topicsMade += count
  return Array.from({ length: count }, (_, index) => `t${topicsMade - index}`) as [string]
}

export async function publish(topic: string, ...texts: string[]): Promise<string[]> {
  const { log } = await engine.hub()
  const { ids } = await log.append(
    topic,
    texts.map((data) => ({ type: 'message', data })),
  )
  return ids
}

/** A stream of the worker, as a tab makes it. */
export function openStream(
  topics: string,
  { query = '', cursor = '', types = ['message'] } = {},
): Stream {
  const progress = initialStreamProgress(cursor)
  const heard: string[] = []
  const controller = createController({
    connect: multiplexer({
      url: `${url}/events/${topics}?envelope=1${query}`,
      withCredentials: false,
      cursorParam: 'lastEventId',
      types,
      maxEvents: 1_000,
      connectTimeoutMs: 15_000,
    }),
    progress,
    sink: {
      show() {},
      event: ({ data }) => heard.push((JSON.parse(data) as { data: string }).data),
      gap: ({ reason }) => heard.push(reason),
      error() {},
      readerChanged() {},
      begin() {},
    },
  })
  controller.open()
  const stream = { heard, progress, controller }
  streams.push(stream)
  return stream
}

export function openAll(topics: readonly string[]): Stream[] {
  return topics.map((topic) => openStream(topic))
}

beforeEach(async () => {
  vi.stubGlobal('EventSource', CountedEventSource)
  vi.stubGlobal('navigator', { onLine: true })
  // A worker hears from the network in this way.
  const self = new EventTarget()
  vi.stubGlobal('addEventListener', self.addEventListener.bind(self))
  Object.assign(origin, emptyOrigin())
  multiplexer = createMultiplexer()
  server = createServer((request, response) => {
    origin.requests.push({ url: request.url ?? '', response })
    origin.answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(async () => {
  for (const { controller } of streams) controller.disable()
  streams = []
  await vi.waitUntil(() => openRequests().length === 0, { timeout: 10_000 })
  vi.unstubAllGlobals()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

export async function until(check: () => void): Promise<void> {
  await vi.waitFor(check, { timeout: 10_000, interval: 5 })
}

export async function untilHeard(stream: Stream, texts: readonly string[]): Promise<void> {
  await until(() => expect(stream.heard).toEqual(texts))
}

/** Resolves when one connection has all of these topics, and there is no other. */
export async function untilMerged(...topics: string[]): Promise<void> {
  await until(() => {
    const [path, ...others] = openRequests()
    expect(others).toEqual([])
    expect(topicsIn(path ?? '')).toEqual(topics.toSorted())
  })
}

export function topicsIn(path: string): string[] {
  const [, topics = ''] = /^\/events\/([^?]*)/.exec(path) ?? []
  return topics.split(',').toSorted()
}
