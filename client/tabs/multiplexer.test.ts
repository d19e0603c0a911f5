/** Streams that are read over one connection, from the topic route of a real server. Chromium's tabs are in e2e/client/tabs.e2e.ts. */
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { EventSource as NodeEventSource } from 'eventsource'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createController, type Controller } from '@/client/controller'
import { initialStreamProgress, type StreamProgress } from '@/client/stream-state'
import { ownAccess } from '@/server/access/own-access'
import { processEngine } from '@/server/engine'
import { fromNode, sendToNode } from '@/server/node/node-request'
import { answerOf, Refusal } from '@/server/refusal'
import { readTopicStream } from '@/server/routes/topic-route'
import { createMultiplexer, type Multiplexer } from './multiplexer'

vi.stubEnv('EVENTS_URL', 'memory:')
vi.stubEnv('RETRY', '20ms')
vi.stubEnv('LIMIT_STREAMS', '0')

const engine = processEngine()
/** Who the browser's cookie says it is. */
let user = 'anna'
let refuses: (topics: readonly string[]) => boolean = () => false
const access = ownAccess(
  {
    authorize: ({ topics }) => !refuses(topics) && { subject: user },
    recheckMs: 60_000,
    revalidate: undefined,
  },
  engine.config,
)

const answerReally: RequestListener = (request, response) => {
  readTopicStream(engine, fromNode(request), { access, topics: undefined }).then(
    (answer) => sendToNode(response, answer),
    (error: unknown) => {
      if (!(error instanceof Refusal)) throw error
      sendToNode(response, answerOf(error))
    },
  )
}

let server: Server
let url = ''
let answer = answerReally
let requests: { url: string; response: ServerResponse }[] = []
/** How many connections the worker has, and the most that it had at once. */
let connections = 0
let mostConnections = 0
let topicsMade = 0
let multiplexer: Multiplexer
let streams: Stream[] = []

class CountedEventSource extends NodeEventSource {
  constructor(...given: ConstructorParameters<typeof NodeEventSource>) {
    super(...given)
    connections++
    mostConnections = Math.max(mostConnections, connections)
  }

  override close(): void {
    if (this.readyState !== this.CLOSED) connections--
    super.close()
  }
}

interface Stream {
  heard: string[]
  progress: StreamProgress
  controller: Controller
}

function openRequests(): string[] {
  return requests.flatMap((request) => (request.response.closed ? [] : [request.url]))
}

function newTopics(count: number): [string, ...string[]] {
  topicsMade += count
  return Array.from({ length: count }, (_, index) => `t${topicsMade - index}`) as [string]
}

async function publish(topic: string, ...texts: string[]): Promise<string[]> {
  const { log } = await engine.hub()
  const { ids } = await log.append(
    topic,
    texts.map((data) => ({ type: 'message', data })),
  )
  return ids
}

/** A stream of the worker, as a tab makes it. */
function open(topics: string, { query = '', cursor = '', types = ['message'] } = {}): Stream {
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

function openAll(topics: readonly string[]): Stream[] {
  return topics.map((topic) => open(topic))
}

beforeEach(async () => {
  vi.stubGlobal('EventSource', CountedEventSource)
  vi.stubGlobal('navigator', { onLine: true })
  // A worker hears from the network in this way.
  const self = new EventTarget()
  vi.stubGlobal('addEventListener', self.addEventListener.bind(self))
  user = 'anna'
  refuses = () => false
  answer = answerReally
  requests = []
  connections = 0
  mostConnections = 0
  multiplexer = createMultiplexer()
  server = createServer((request, response) => {
    requests.push({ url: request.url ?? '', response })
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(async () => {
  for (const { controller } of streams) controller.disable()
  streams = []
  await until(() => expect(openRequests()).toEqual([]))
  vi.unstubAllGlobals()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

async function until(check: () => void): Promise<void> {
  await vi.waitFor(check, { timeout: 10_000, interval: 5 })
}

async function untilHeard(stream: Stream, texts: readonly string[]): Promise<void> {
  await until(() => expect(stream.heard).toEqual(texts))
}

/** Resolves when one connection has all of these topics, and there is no other. */
async function untilMerged(...topics: string[]): Promise<void> {
  await until(() => {
    const [path, ...others] = openRequests()
    expect(others).toEqual([])
    expect(topicsIn(path ?? '')).toEqual(topics.toSorted())
  })
}

function topicsIn(path: string): string[] {
  const [, topics = ''] = /^\/events\/([^?]*)/.exec(path) ?? []
  return topics.split(',').toSorted()
}

describe('streams of different topics', () => {
  test('are read over one connection, and each has its own events, once', async () => {
    const topics = newTopics(6)
    const opened = openAll(topics)
    await untilMerged(...topics)

    for (const topic of topics) await publish(topic, `one of ${topic}`, `two of ${topic}`)

    for (const [index, stream] of opened.entries()) {
      await untilHeard(stream, [`one of ${topics[index]}`, `two of ${topics[index]}`])
      expect(stream.progress.status).toBe('open')
    }
    // Three by themselves at most, and one that is merged.
    expect(mostConnections).toBe(4)
  })

  test('are merged once they have caught up: with the last events, or after a cursor', async () => {
    const [first, past, resumed] = newTopics(3) as [string, string, string]
    await publish(past, 'a', 'b', 'c')
    const [after = ''] = await publish(resumed, 'd', 'e')
    const streamOfFirst = open(first)
    const streamOfPast = open(past, { query: '&last=2' })
    const streamOfResumed = open(resumed, { cursor: after })
    await untilMerged(first, past, resumed)

    await publish(past, 'f')
    await publish(resumed, 'g')
    await publish(first, 'h')

    await untilHeard(streamOfPast, ['b', 'c', 'f'])
    await untilHeard(streamOfResumed, ['e', 'g'])
    await untilHeard(streamOfFirst, ['h'])
  })

  test('lose and repeat nothing while streams come and go, and everything is published', async () => {
    const topics = newTopics(5)
    const published = new Map(topics.map((topic) => [topic, new Array<string>()]))
    const kept = openAll(topics)
    await until(() =>
      expect(kept.map(({ progress }) => progress.status)).toEqual(topics.map(() => 'open')),
    )
    const over = new AbortController()
    const publishing = topics.map(async (topic) => {
      for (let n = 0; !over.signal.aborted; n++) {
        published.get(topic)?.push(`${n}`)
        await publish(topic, `${n}`)
        await sleep(1)
      }
    })
    for (let round = 0; round < 4; round++) {
      const passing = openAll(newTopics(2))
      await sleep(400)
      for (const { controller } of passing) controller.close()
    }
    for (const { response } of requests) response.destroy()
    await sleep(500)
    over.abort()
    await Promise.all(publishing)

    for (const [index, topic] of topics.entries()) {
      await untilHeard(kept[index] as Stream, published.get(topic) ?? [])
    }
    await untilMerged(...topics)
  })

  test('go on each after its own cursor when the connection breaks', async () => {
    const [one, other] = newTopics(2) as [string, string]
    const streamOfOne = open(one)
    const streamOfOther = open(other)
    await untilMerged(one, other)
    await publish(one, 'a')
    await untilHeard(streamOfOne, ['a'])

    answer = (_, response) => response.destroy()
    for (const { response } of requests) response.destroy()
    await publish(one, 'b')
    await publish(other, 'c')
    await until(() => expect(streamOfOther.progress.status).toBe('reconnecting'))
    answer = answerReally

    await untilHeard(streamOfOne, ['a', 'b'])
    await untilHeard(streamOfOther, ['c'])
    await untilMerged(one, other)
  })

  test('more than 32 topics take another connection', async () => {
    const topics = newTopics(41)
    const opened = [
      open(topics.slice(0, 20).join()),
      open(topics.slice(20, 30).join()),
      open(topics.slice(30, 36).join()),
      open(topics.slice(36).join()),
    ]
    await until(() => {
      expect(
        openRequests()
          .map((path) => topicsIn(path).length)
          .toSorted((a, b) => a - b),
      ).toEqual([11, 30])
    })

    for (const topic of topics) await publish(topic, topic)

    await untilHeard(opened[0] as Stream, topics.slice(0, 20))
    await untilHeard(opened[2] as Stream, topics.slice(30, 36))
    await untilHeard(opened[3] as Stream, topics.slice(36))
  })

  test('the last one closes the connection, and topics that nobody reads are dropped after 10 s', async () => {
    const topics = newTopics(3)
    const [first, second, third] = openAll(topics) as [Stream, Stream, Stream]
    await untilMerged(...topics)

    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      third.controller.close()
      vi.advanceTimersByTime(10_000)
    } finally {
      vi.useRealTimers()
    }

    await untilMerged(topics[0], topics[1] ?? '')
    first.controller.close()
    second.controller.close()
    await until(() => expect(openRequests()).toEqual([]))
  })
})

describe('a stream stays by itself', () => {
  test('when it is the only one', async () => {
    const [topic] = newTopics(1)
    const stream = open(topic)
    await until(() => expect(stream.progress.status).toBe('open'))
    await sleep(400)
    await publish(topic, 'a')

    await untilHeard(stream, ['a'])
    expect(requests).toHaveLength(1)
  })

  test('when the server refuses its topics together with others', async () => {
    refuses = (topics) => topics.length > 1
    const topics = newTopics(2)
    const opened = openAll(topics)
    await until(() =>
      expect(requests.some(({ url: path }) => topicsIn(path).length > 1)).toBe(true),
    )
    await until(() => expect(openRequests()).toHaveLength(2))
    await sleep(400)

    for (const topic of topics) await publish(topic, topic)

    for (const [index, stream] of opened.entries()) await untilHeard(stream, [topics[index] ?? ''])
    expect(requests.filter(({ url: path }) => topicsIn(path).length > 1)).toHaveLength(2)
  })

  test('when the page has another reader by then: nothing of one reaches the other', async () => {
    const [ofAnna, alsoOfAnna, ofBert] = newTopics(3) as [string, string, string]
    const opened = openAll([ofAnna, alsoOfAnna])
    await untilMerged(ofAnna, alsoOfAnna)

    user = 'bert'
    const third = open(ofBert)
    await until(() => expect(third.progress.status).toBe('open'))
    await sleep(400)
    expect(openRequests().map(topicsIn)).toEqual([[ofAnna, alsoOfAnna].toSorted(), [ofBert]])
    for (const { response } of requests) response.destroy()

    await until(() => {
      for (const { progress } of opened) {
        expect(progress).toMatchObject({ status: 'failed', error: { kind: 'reader' } })
      }
    })
    await publish(ofBert, 'a')
    await untilHeard(third, ['a'])
  })

  test('when the server does not say who reads, and others need not wait for it', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {}\n\n')
    }
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const foreign = openAll(newTopics(3))
    openAll(newTopics(2))
    try {
      await until(() => {
        expect(foreign.map(({ progress }) => progress.status)).toEqual(['open', 'open', 'open'])
      })
      expect(openRequests()).toHaveLength(3)
      answer = answerReally
      vi.advanceTimersByTime(5_000)
    } finally {
      vi.useRealTimers()
    }

    await until(() => expect(openRequests()).toHaveLength(4))
    expect(foreign.map(({ progress }) => progress.status)).toEqual(['open', 'open', 'open'])
  })
})

test('Events that may be missing are told only to the stream of their topic', async () => {
  const [one, other] = newTopics(2) as [string, string]
  const streamOfOne = open(one)
  const streamOfOther = open(other)
  await until(() => expect(openRequests()).toHaveLength(2))
  const { log } = await engine.hub()
  const { epoch, offset } = await log.head()
  const lost = `id: ${epoch}.${offset + 90}\nevent: resync\ndata: {"reason":"trimmed","from":"","oldest":null,"topics":["${one}"]}\n\n`
  answer = (request, response) => {
    const topics = topicsIn(request.url ?? '')
    if (topics.length === 1 && !topics.includes(one)) answerReally(request, response)
    else {
      const reader = streamOfOne.progress.reader
      const told = JSON.stringify({ heartbeatMs: 15_000, time: Date.now(), reader })
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`id: ${epoch}.${offset}\nevent: connected\ndata: ${told}\n\n${lost}`)
    }
  }

  await until(() => expect(streamOfOne.heard[0]).toBe('trimmed'))
  await publish(other, 'a')
  await untilHeard(streamOfOther, ['a'])
})
