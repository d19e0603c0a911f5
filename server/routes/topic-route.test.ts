import type { EventSourceMessage } from 'eventsource-parser'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { readAllEvents, readEvents } from '@/test/readers/read-events'
import { metrics } from '@/server/observe/metrics'
import { LogError } from '@/server/log/event-log'
import { processEngine } from '@/server/engine'
import { createSse } from '@/server/sse/sse'

// The configuration is read on first use, not on import.
vi.stubEnv('EVENTS_URL', 'memory:')

const { GET, HEAD, POST } = createSse().topicRoute

type Handler = typeof GET

/** Calls the handler, as Next does for a request to `/events/{rest}`. */
function call(handler: Handler, rest: string, init: RequestInit = {}): Promise<Response> {
  const url = new URL(`http://localhost:3000/events/${rest}`)
  return handler(new Request(url, init))
}

function read(rest: string, headers: Record<string, string> = {}): Promise<Response> {
  return call(GET, rest, { headers })
}

function post(rest: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return call(POST, rest, { method: 'POST', body, headers })
}

/** Publishes each text as a separate event. Resolves with their ids. */
async function publishAll(topic: string, ...texts: string[]): Promise<string[]> {
  const ids: string[] = []
  for (const text of texts) {
    const answer = (await (await post(topic, text)).json()) as { ids: string[] }
    ids.push(...answer.ids)
  }
  return ids
}

/** Reads the first `count` events of a stream, and then leaves it. */
async function take(response: Response, count: number): Promise<EventSourceMessage[]> {
  const events: EventSourceMessage[] = []
  const stream = readEvents(response)
  while (events.length < count) {
    const { value, done } = await stream.next()
    if (done) throw new Error(`The stream ended after ${events.length} events.`)
    events.push(value)
  }
  await stream.return(undefined)
  return events
}

async function dataOf(response: Response, count: number): Promise<string[]> {
  const events = await take(response, count)
  return events.map(({ event, data }) => event ?? data)
}

async function problemOf(response: Response): Promise<unknown> {
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  return await response.json()
}

/** A cursor with the same offset in another log. */
function foreign(id = ''): string {
  return id.replace(/^[^.]+/, 'othr')
}

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
})

afterEach(async () => {
  // After every publish, however it ended, its share of the budget must be released.
  expect(processEngine().uploads.heldBytes).toBe(0)
  expect((await metrics.openStreams.get()).values[0]?.value).toBe(0)
  vi.restoreAllMocks()
})

describe('POST /events/{topic}', () => {
  test('answers 201 with the id of the event', async () => {
    const response = await post('post.one', 'hello')

    expect(response.status).toBe(201)
    expect(await response.json()).toEqual({
      ids: [expect.stringMatching(/^[a-z0-9]{4,16}\.[1-9]\d*$/)],
    })
    expect(response.headers.get('idempotency-replayed')).toBeNull()
  })

  test('answers with an id for each line of NDJSON, in order', async () => {
    const type = { 'content-type': 'application/x-ndjson' }
    const response = await post('post.lines', '1\n\n"two"\n{"three":3}\n', type)

    const { ids } = (await response.json()) as { ids: string[] }
    const events = await take(await read('post.lines?since=all'), 4)

    expect(events.slice(1)).toEqual([
      { id: ids[0], event: undefined, data: '1' },
      { id: ids[1], event: undefined, data: '"two"' },
      { id: ids[2], event: undefined, data: '{"three":3}' },
    ])
  })

  test('a repeat with the same Idempotency-Key publishes nothing, answers with the same ids, and says so', async () => {
    const key = { 'idempotency-key': 'once' }
    const first = await post('post.key', 'hello', key)
    const second = await post('post.key', 'hello', key)
    const [after] = await publishAll('post.key', 'after')

    expect(second.status).toBe(201)
    expect(second.headers.get('idempotency-replayed')).toBe('true')
    expect(await second.json()).toEqual(await first.json())
    const events = await take(await read('post.key?since=all'), 3)
    expect(events.map(({ data }) => data).slice(1)).toEqual(['hello', 'after'])
    expect(events.at(-1)?.id).toBe(after)
  })

  test.each([
    ['another body', 'post.conflict', 'other'],
    ['another type', 'post.conflict?type=other', 'hello'],
  ])('the key of one publish is refused for %s', async (_, rest, body) => {
    const key = { 'idempotency-key': 'taken' }
    await post('post.conflict', 'hello', key)

    const response = await post(rest, body, key)

    expect(response.status).toBe(422)
    expect(await problemOf(response)).toMatchObject({ code: 'idempotency-conflict' })
  })

  test('keys belong to their topic', async () => {
    const key = { 'idempotency-key': 'shared' }

    const one = await post('post.mine', 'hello', key)
    const other = await post('post.yours', 'something else', key)

    expect([one.status, other.status]).toEqual([201, 201])
  })

  test.each([
    ['a,b', 'too-many-topics', 400],
    ['a,', 'invalid-topic', 400],
    ['_a', 'invalid-topic', 400],
    ['a?type=ping', 'reserved-type', 422],
    ['a?type=a%20b', 'invalid-type', 422],
    ['a?type=', 'invalid-type', 422],
  ])('refuses /events/%s with %s', async (rest, code, status) => {
    const response = await post(rest, 'hello')

    expect(response.status).toBe(status)
    expect(await problemOf(response)).toMatchObject({ code, status })
  })

  test('refuses a page of another site before its body is read', async () => {
    const pull = vi.fn<() => void>()
    const body = new ReadableStream({ pull }, { highWaterMark: 0 })
    const headers = { 'sec-fetch-site': 'cross-site' }

    const response = await call(POST, 'post.site', {
      method: 'POST',
      body,
      headers,
      duplex: 'half',
    } as RequestInit)

    expect(response.status).toBe(403)
    expect(await problemOf(response)).toMatchObject({ code: 'cross-site' })
    expect(pull).not.toHaveBeenCalled()
  })

  test('refuses a body that exceeds the budget with 503, and says when to try again', async () => {
    const uploads = [1, 2, 3].map(() => processEngine().uploads.open())
    for (const share of uploads) share.resize(16 * 1024 * 1024)

    const type = { 'content-type': 'application/x-ndjson' }
    const response = await post('post.room', '"0123456789"\n'.repeat(8_000), type)
    const single = await post('post.room', 'hello')
    for (const share of uploads) share.close()

    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('1')
    expect(response.headers.get('connection')).toBe('close')
    expect(await problemOf(response)).toMatchObject({ code: 'busy' })
    expect(single.status).toBe(201)
  })

  test('answers an interrupted body with 400, and publishes nothing', async () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('half of'))
      },
      pull(controller) {
        controller.error(new Error('gone'))
      },
    })

    const init = { method: 'POST', body, duplex: 'half' } as RequestInit
    const response = await call(POST, 'post.broken', init)

    expect(response.status).toBe(400)
    const [, first] = await take(
      await read('post.broken?since=all').then(async (stream) => {
        await publishAll('post.broken', 'after')
        return stream
      }),
      2,
    )
    expect(first?.data).toBe('after')
  })

  test.each([
    ['busy', 'busy', '1'],
    ['unavailable', 'unavailable', '5'],
    ['closed', 'unavailable', '5'],
  ] as const)(
    'while the log is %s, answers 503 %s, and says when to try again',
    async (code, answered, retryAfter) => {
      const { log } = await processEngine().hub()
      vi.spyOn(log, 'append').mockRejectedValue(new LogError(code, 'secret'))

      const response = await post('post.away', 'hello')

      expect(response.status).toBe(503)
      expect(response.headers.get('retry-after')).toBe(retryAfter)
      const refusal = await problemOf(response)
      expect(refusal).toMatchObject({ code: answered })
      expect(JSON.stringify(refusal)).not.toContain('secret')
    },
  )
})

describe('GET /events/{topics}', () => {
  test('starts now, and delivers the events published from then on', async () => {
    await publishAll('get.now', 'before')
    const stream = readEvents(await read('get.now'))
    const connected = await stream.next()

    const [id] = await publishAll('get.now', 'after')
    const next = await stream.next()
    await stream.return(undefined)

    expect(connected.value).toMatchObject({ event: 'connected' })
    expect(JSON.parse(connected.value?.data ?? '')).toMatchObject({ resumed: false })
    expect(next.value).toEqual({ id, event: undefined, data: 'after' })
  })

  test('events of one topic are plain: id, type and data', async () => {
    await post('get.plain?type=order.paid', '{"amount":4200}\r\nand more')

    const [, event] = await take(await read('get.plain?since=all'), 2)

    expect(event).toMatchObject({ event: 'order.paid', data: '{"amount":4200}\nand more' })
  })

  test('events of several topics are in envelopes, in the order of their offsets', async () => {
    const ids = [
      ...(await publishAll('get.east', 'one')),
      ...(await publishAll('get.west', 'two\r\nlines')),
      ...(await publishAll('get.east', 'three')),
    ]

    const [, ...events] = await take(await read('get.east,get.west?since=all'), 4)

    expect(events.map(({ id }) => id)).toEqual(ids)
    expect(events.map(({ event }) => event)).toEqual([undefined, undefined, undefined])
    expect(events.map(({ data }) => JSON.parse(data) as unknown)).toEqual([
      { topic: 'get.east', type: 'message', time: expect.any(Number) as number, data: 'one' },
      {
        topic: 'get.west',
        type: 'message',
        time: expect.any(Number) as number,
        data: 'two\r\nlines',
      },
      { topic: 'get.east', type: 'message', time: expect.any(Number) as number, data: 'three' },
    ])
  })

  test('envelope= overrides this', async () => {
    await publishAll('get.form', 'hello')

    const [wrapped] = (await dataOf(await read('get.form?since=all&envelope=1'), 2)).slice(1)
    const [plain] = (await dataOf(await read('get.form,get.none?since=all&envelope=0'), 2)).slice(1)

    expect(JSON.parse(wrapped ?? '')).toMatchObject({ topic: 'get.form', data: 'hello' })
    expect(plain).toBe('hello')
  })

  test.each([
    ['last=2', ['connected', 'two', 'three']],
    ['last=1000', ['connected', 'one', 'two', 'three']],
    ['since=1h', ['connected', 'one', 'two', 'three']],
    ['since=all', ['connected', 'one', 'two', 'three']],
  ])('?%s starts with past events', async (query, expected) => {
    const topic = `get.start.${query.replace('=', '.')}`
    await publishAll(topic, 'one', 'two', 'three')

    expect(await dataOf(await read(`${topic}?${query}`), expected.length)).toEqual(expected)
  })

  test('last=0 starts now', async () => {
    await publishAll('get.zero', 'before')
    const response = await read('get.zero?last=0')
    await publishAll('get.zero', 'after')

    expect(await dataOf(response, 2)).toEqual(['connected', 'after'])
  })

  test.each(['header', 'query'])(
    'continues after the cursor in the %s, which wins over since',
    async (place) => {
      const topic = `get.cursor.${place}`
      const [first = ''] = await publishAll(topic, 'one', 'two', 'three')

      const response = await (place === 'header'
        ? read(`${topic}?since=all`, { 'last-event-id': first })
        : read(`${topic}?since=all&lastEventId=${first}`))
      const [connected, ...rest] = await take(response, 3)

      expect(connected).toMatchObject({ event: 'connected', id: first })
      expect(JSON.parse(connected?.data ?? '')).toMatchObject({ cursor: first, resumed: true })
      expect(rest.map(({ data }) => data)).toEqual(['two', 'three'])
    },
  )

  test('a cursor of another log is answered with resync, then with the kept events', async () => {
    const [first, last] = await publishAll('get.epoch', 'one', 'two')
    const cursor = foreign(last)

    const response = await read('get.epoch', { 'last-event-id': cursor })
    const [connected, resync, ...rest] = await take(response, 4)

    expect(connected?.id).toBe(cursor)
    expect(JSON.parse(connected?.data ?? '')).toMatchObject({ cursor, resumed: false })
    expect(resync?.event).toBe('resync')
    expect(JSON.parse(resync?.data ?? '')).toEqual({
      reason: 'epoch',
      from: cursor,
      oldest: first,
      topics: ['get.epoch'],
    })
    expect(rest.map(({ data }) => data)).toEqual(['one', 'two'])
  })

  test('a cursor in the future is answered with resync', async () => {
    const [first = ''] = await publishAll('get.future', 'one')
    const cursor = first.replace(/\d+$/, '9999999999999999')

    const [, resync, ...rest] = await take(await read(`get.future?lastEventId=${cursor}`), 3)

    expect(JSON.parse(resync?.data ?? '')).toEqual({
      reason: 'future',
      from: cursor,
      oldest: first,
      topics: ['get.future'],
    })
    expect(rest.map(({ data }) => data)).toEqual(['one'])
  })

  test.each([
    [Array.from({ length: 33 }, (_, index) => `t${index}`).join(','), 'too-many-topics'],
    ['a,,b', 'invalid-topic'],
    ['a%20b', 'invalid-topic'],
    ['a?lastEventId=..', 'invalid-cursor'],
    ['a?last=1001', 'invalid-query'],
    ['a?since=soon', 'invalid-query'],
    ['a?last=1&since=all', 'invalid-query'],
    ['a?envelope=yes', 'invalid-query'],
  ])('refuses /events/%.40s with %s', async (rest, code) => {
    const response = await read(rest)

    expect(response.status).toBe(400)
    expect(await problemOf(response)).toMatchObject({ code, status: 400 })
  })

  test.each(['unavailable', 'closed', 'busy'] as const)(
    'while the log is %s, asks the reader to come back, and closes',
    async (code) => {
      const away = new LogError(code, 'secret')
      const { log } = await processEngine().hub()
      vi.spyOn(log, 'head').mockRejectedValue(away)
      vi.spyOn(log, 'locate').mockRejectedValue(away)

      const [now, past] = await Promise.all([read('get.away'), read('get.away?since=all')])

      for (const response of [now, past]) {
        expect(response.status).toBe(200)
        expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
        const events = await readAllEvents(response)
        expect(events).toEqual([{ id: '', event: 'reconnect', data: expect.any(String) as string }])
        expect(JSON.parse(events[0]?.data ?? '')).toEqual({
          retryMs: expect.any(Number) as number,
          reason: 'unavailable',
        })
      }
    },
  )
})

describe('HEAD /events/{topics}', () => {
  test('answers as GET would, and opens no stream', async () => {
    const response = await call(HEAD, 'head.news,head.alerts', { method: 'HEAD' })

    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(response.body).toBeNull()
    expect((await metrics.openStreams.get()).values[0]?.value).toBe(0)
  })

  test('answers the refusal of GET without its body', async () => {
    const response = await call(HEAD, 'head.news?last=many', { method: 'HEAD' })

    expect(response.status).toBe(400)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(response.body).toBeNull()
  })
})
