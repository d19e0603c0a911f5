// @vitest-environment jsdom
/** What only a stream by `fetch` can do, over real sockets. What it has in common with an EventSource is tested with both. */
import type { IncomingHttpHeaders } from 'node:http'
import { describe, expect, test, vi } from 'vitest'
import {
  createEventSourceClient,
  type EventSourceClient,
  type EventSourceClientOptions,
} from '@/client/event-source-client'
import { joinSharedStream } from '@/client/tabs/join-shared-stream'
import { installHookOrigin, origin, stream, until } from '@/test/doubles/hook-origin'

installHookOrigin('fetch')

/** The headers of each request so far. */
let sent: IncomingHttpHeaders[] = []

/** Notes the headers of the requests that follow, and answers each with a stream of `frames`, which ends at once. */
function answerBriefly(...frames: string[]): void {
  sent = []
  origin.answer = (request, response) => {
    sent.push(request.headers)
    stream(...frames)(request, response)
    response.end()
  }
}

function openClient(options: Partial<EventSourceClientOptions> = {}): EventSourceClient {
  // The shortest waits.
  vi.spyOn(Math, 'random').mockReturnValue(0)
  const client = createEventSourceClient({ url: origin.url, transport: 'fetch', ...options })
  client.open()
  return client
}

describe('a stream by fetch', () => {
  test('sends headers, and asks for an event stream', async () => {
    answerBriefly()
    const client = openClient({ transport: 'fetch', headers: { authorization: 'Bearer one' } })

    await until(() => expect(sent).toHaveLength(1))

    expect(sent[0]).toMatchObject({ authorization: 'Bearer one', accept: 'text/event-stream' })
    client.close()
  })

  test('asks a function for the headers at every attempt', async () => {
    answerBriefly()
    let token = 0
    const client = openClient({
      transport: 'fetch',
      headers: async () => ({ authorization: `Bearer ${++token}` }),
    })

    await until(() => expect(sent).toHaveLength(2))

    expect(sent.map(({ authorization }) => authorization)).toEqual(['Bearer 1', 'Bearer 2'])
    client.close()
  })

  test('sends the newest headers with the next attempt, and goes on after the last event', async () => {
    answerBriefly('id: test.1\ndata: one\n\n')
    const client = openClient({ transport: 'fetch', headers: { authorization: 'Bearer one' } })
    await until(() => expect(sent).toHaveLength(1))

    client.use({ url: origin.url, headers: { authorization: 'Bearer two' } })
    await until(() => expect(sent).toHaveLength(2))

    expect(sent[1]?.authorization).toBe('Bearer two')
    expect(origin.requests[1]?.url).toBe('/events?lastEventId=test.1')
    client.close()
  })

  test.each<[string, EventSourceClientOptions['headers']]>([
    ['are not valid', { 'not a name': '1' }],
    ['come from a function that rejects', () => Promise.reject(new Error('no token'))],
  ])('headers that %s make a failed attempt, and no request', async (_, headers) => {
    const client = openClient({ transport: 'fetch', headers })

    await until(() => expect(client.getState().status).toBe('reconnecting'))

    expect(client.getState().error).toMatchObject({ kind: 'headers', cause: expect.any(Error) })
    expect(origin.requests).toEqual([])
    client.close()
  })

  test('headers without it are an error that says what to do', () => {
    // @ts-expect-error Not by type either.
    const create = () => createEventSourceClient({ url: origin.url, headers: { a: '1' } })

    expect(create).toThrow("`headers` needs `transport: 'fetch'`")
  })

  test('is not shared, because its headers belong to one page', async () => {
    vi.stubGlobal('SharedWorker', () => {
      throw new Error('There must be no worker.')
    })
    const client = openClient({ join: joinSharedStream })

    await until(() => expect(client.getState().status).toBe('open'))

    expect(client.getState().tabs).toBeUndefined()
    client.close()
  })

  test('an answer of a type that only begins like an event stream is refused', async () => {
    origin.answer = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-streaming' }).end('data: no\n\n')
    }
    const client = openClient()

    await until(() => expect(client.getState().status).toBe('failed'))

    expect(client.getState()).toMatchObject({ error: { kind: 'refused', status: 200 }, events: [] })
  })

  test('a refusal whose body never ends is given up in time', async () => {
    origin.answer = (_, response) => {
      response.writeHead(403, { 'content-type': 'application/problem+json' }).write('{')
    }
    const client = openClient({ connectTimeoutMs: 100 })

    await until(() => expect(client.getState().status).toBe('reconnecting'))

    expect(client.getState().error?.kind).toBe('unreachable')
    client.close()
  })

  test('characters and frames may be cut anywhere', async () => {
    const bytes = Buffer.from('\uFEFFid: test.1\r\ndata: größe 💶\r\n\r\ndata: two\n\n')
    origin.answer = async (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (const byte of bytes) {
        response.write(Buffer.of(byte))
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    const client = openClient()
    const received: unknown[] = []
    client.onEvent(({ data, id }) => received.push([data, id]))

    await until(() => expect(received).toHaveLength(2))

    expect(received).toEqual([
      ['größe 💶', 'test.1'],
      ['two', 'test.1'],
    ])
    client.close()
  })

  test('closed by a listener, it delivers nothing of what came with that event', async () => {
    origin.answer = stream('data: one\n\ndata: two\n\n')
    const client = openClient()
    const received: string[] = []
    client.onEvent(({ data }) => {
      received.push(data)
      client.close()
    })

    await until(() => expect(origin.requests).toHaveLength(1))
    await origin.requests[0]?.closed

    expect(received).toEqual(['one'])
  })
})

test('cursorParam names the parameter for the cursor, with an EventSource too', async () => {
  for (const transport of [undefined, 'fetch'] as const) {
    const client = createEventSourceClient({
      url: `${origin.url}?since=all`,
      transport,
      cursorParam: 'since',
      initialLastEventId: 'theirs-7',
    })
    client.open()
    await until(() => expect(client.getState().status).toBe('open'))
    client.close()
  }

  expect(origin.requests.map(({ url }) => url)).toEqual(Array(2).fill('/events?since=theirs-7'))
})
