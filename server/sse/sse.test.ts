import { afterAll, describe, expect, test, vi } from 'vitest'
import { LogError } from '@/server/log/event-log'
import { readEvents } from '@/test/readers/read-events'
import { EventsLostError, type TopicEvent } from '@/server/hub/read-events'
import { processEngine } from '@/server/engine'
import { createSse } from './sse'

// The environment is read when the object is first used, not when it is created.
vi.stubEnv('EVENTS_URL', 'memory:')
const sse = createSse()

afterAll(() => sse.close())

function textsOf(events: readonly TopicEvent[]): string[] {
  return events.map(({ data }) => data)
}

describe('createSse', () => {
  test.each(['events', '/events/', '/', '', '/a b', '/[x]'])('refuses the path %j', (path) => {
    expect(() => createSse({ path })).toThrow('the path must look like /events')
  })

  test('a topic route that is not mounted at its path says so', async () => {
    const { GET } = createSse({ path: '/live' }).topicRoute

    await expect(GET(new Request('http://localhost/events/news'))).rejects.toThrow(
      "mounted at /events, but createSse was given the path /live: move the route, or pass { path: '/events' }",
    )
  })

  test.each(['http://localhost/base/live/news', 'http://localhost/live/news/'])(
    'serves %s at the path /live',
    async (url) => {
      const { HEAD } = createSse({ path: '/live' }).topicRoute

      expect((await HEAD(new Request(url))).status).toBe(200)
    },
  )
})

describe('publish', () => {
  test('encodes the data as JSON, and readers get its text', async () => {
    const { ids, replayed } = await sse.publish('p.json', 'order.paid', { amount: 4_200 })

    const { events } = await sse.history('p.json')
    expect(events).toEqual([
      {
        id: ids[0],
        topic: 'p.json',
        type: 'order.paid',
        data: '{"amount":4200}',
        time: expect.any(Number) as number,
      },
    ])
    expect(replayed).toBe(false)
  })

  test('publishes several events, all or none', async () => {
    const good = { type: 'a', data: 1 }

    await sse.publish('p.several', [good, { data: 'two' }])
    const failing = sse.publish('p.several', [good, { type: 'connected', data: 1 }])

    await expect(failing).rejects.toMatchObject({ name: 'PublishError', code: 'reserved-type' })
    const { events } = await sse.history('p.several')
    expect(events.map(({ type, data }) => `${type} ${data}`)).toEqual(['a 1', 'message "two"'])
  })

  test.each([
    ['no topic', 'x', 1, 'invalid-topic'],
    ['p', 'two\nlines', 1, 'invalid-type'],
    ['p', 'x', undefined, 'invalid-data'],
    ['p', 'x', () => 1, 'invalid-data'],
    ['p', 'x', 'y'.repeat(70_000), 'event-too-large'],
  ])('refuses %j, %j, %o: %s', async (topic, type, data, code) => {
    await expect(sse.publish(topic, type, data)).rejects.toMatchObject({ code })
  })

  test('with a repeated key publishes nothing, and with other data is a conflict', async () => {
    const options = { idempotencyKey: 'one' }
    const first = await sse.publish('p.key', 'x', 1, options)

    expect(await sse.publish('p.key', 'x', 1, options)).toEqual({ ...first, replayed: true })
    await expect(sse.publish('p.key', 'x', 2, options)).rejects.toBeInstanceOf(LogError)
  })
})

describe('history', () => {
  test('starts at the given place, and a stream continues after its cursor without a gap', async () => {
    for (const n of [1, 2, 3]) await sse.publish('h.from', 'n', n)

    const last = await sse.history(['h.from', 'h.none'], { last: 2 })
    const since = await sse.history('h.from', { since: '1h' })
    await sse.publish('h.from', 'n', 4)
    const after = await sse.history('h.from', { after: last.cursor })

    expect(textsOf(last.events)).toEqual(['2', '3'])
    expect(textsOf(since.events)).toEqual(['1', '2', '3'])
    expect(textsOf(after.events)).toEqual(['4'])
    const url = `http://localhost/events/h.from?lastEventId=${last.cursor}`
    const stream = readEvents(await sse.topicRoute.GET(new Request(url)))
    await stream.next()
    expect((await stream.next()).value?.data).toBe('4')
    await stream.return(undefined)
  })

  test('has as its cursor the newest event of its own topics, where a stream of them stands', async () => {
    const { ids } = await sse.publish('h.own', 'n', 1)
    const other = await sse.publish('h.other', 'n', 2)

    for (const from of [{ last: 0 }, { last: 5 }, { since: '0ms' }, { after: other.ids[0] }]) {
      expect((await sse.history('h.own', from)).cursor).toBe(ids[0])
    }
    expect((await sse.history(['h.own', 'h.other'], { last: 0 })).cursor).toBe(other.ids[0])
  })

  test('of a topic without events is empty, and still has a cursor', async () => {
    const { events, cursor } = await sse.history('h.empty', { last: 5 })

    await sse.publish('h.empty', 'n', 1)
    expect(events).toEqual([])
    expect(textsOf((await sse.history('h.empty', { after: cursor })).events)).toEqual(['1'])
  })

  test.each([
    ['not a topic', {}, 'invalid-topic'],
    [Array.from({ length: 33 }, (_, n) => `t${n}`), {}, 'too-many-topics'],
    ['t', { after: 'nonsense' }, 'invalid-cursor'],
    ['t', { since: 'yesterday' }, 'invalid-start'],
    ['t', { last: -1 }, 'invalid-start'],
    ['t', { last: 1, since: '1h' }, 'invalid-start'],
  ])('refuses %j from %j: %s', async (topics, from, code) => {
    await expect(sse.history(topics, from)).rejects.toMatchObject({ name: 'ReadError', code })
  })
})

describe('preload', () => {
  test('needs a request of Next', async () => {
    await expect(sse.preload('p.script')).rejects.toThrow('outside a request scope')
  })
})

describe('read', () => {
  test('yields the kept events, then new ones, until the signal aborts', async () => {
    await sse.publish('r.live', 'n', 1)
    const leaving = new AbortController()
    const seen: string[] = []

    for await (const { data } of sse.read('r.live', { since: 'all', signal: leaving.signal })) {
      seen.push(data)
      if (data === '1') setTimeout(() => void sse.publish('r.live', 'n', 2), 20)
      if (data === '2') setTimeout(() => leaving.abort(), 20)
    }

    expect(seen).toEqual(['1', '2'])
  })

  test('starts now by default, and leaves no watcher when the loop ends', async () => {
    await sse.publish('r.now', 'n', 'before')
    const { log } = await processEngine().hub()
    const watch = vi.spyOn(log, 'watch')
    setTimeout(() => void sse.publish('r.now', 'n', 'after'), 50)

    for await (const { data } of sse.read('r.now')) {
      expect(data).toBe('"after"')
      break
    }

    expect(watch.mock.calls[0]?.[1].signal.aborted).toBe(true)
  })

  test('loses no event when the reader is slower than the topic', async () => {
    const leaving = new AbortController()
    const seen: number[] = []
    const reading = (async () => {
      for await (const { data } of sse.read('r.slow', { since: 'all', signal: leaving.signal })) {
        seen.push(Number(data))
        if (seen.length % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
        if (seen.length === 1_500) return
      }
    })()

    for (let n = 0; n < 1_500; n++) await sse.publish('r.slow', 'n', n)
    await reading

    expect(seen).toEqual(seen.map((_, index) => index))
    expect(seen).toHaveLength(1_500)
  })

  test('throws when events are no longer kept', async () => {
    const reading = sse.read('r.lost', { after: 'foreign0.7' })

    const error = await reading[Symbol.asyncIterator]()
      .next()
      .catch((reason: unknown) => reason)

    expect(error).toBeInstanceOf(EventsLostError)
    expect(error).toMatchObject({ reason: 'epoch', topics: ['r.lost'], after: 'foreign0.7' })
  })
})
