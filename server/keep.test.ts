import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { journal } from '@/server/observe/journal'
import { readEvents } from '@/test/readers/read-events'
import { readKeep, type Keep, type KeepRule } from './keep'
import { createSse } from '@/server/sse/sse'

// The environment is read when the object is first used, not when it is created.
vi.stubEnv('EVENTS_URL', 'memory:')
vi.stubEnv('EVENTS_MAX_COUNT', '1000')
vi.stubEnv('EVENTS_MAX_AGE', '1h')

const others = { maxCount: 1_000, maxAgeMs: 3_600_000 }
const ownRules = { 'price.*': { latest: true }, 'short.*': { maxAge: '1m' }, 'price.all': {} }
const sse = createSse({ keep: ownRules })

afterEach(() => {
  vi.stubEnv('NODE_ENV', 'test')
  // The newest rules count.
  createSse({ keep: ownRules })
  vi.restoreAllMocks()
  vi.useRealTimers()
})
afterAll(() => sse.close())

describe('readKeep', () => {
  const rules: Keep = {
    '*': { maxAge: '1m' },
    'a.*': { maxCount: 50 },
    'a.b.*': { maxAge: '2m' },
    'a.b': { latest: true },
  }

  test.each([
    ['other', { maxCount: 1_000, maxAgeMs: 60_000 }],
    ['a', { maxCount: 1_000, maxAgeMs: 60_000 }],
    ['a.x', { maxCount: 50, maxAgeMs: 3_600_000 }],
    ['a.b', { maxCount: 1_000, maxAgeMs: 3_600_000, latest: true }],
    ['a.b.c', { maxCount: 1_000, maxAgeMs: 120_000 }],
    ['a.b.c.d', { maxCount: 1_000, maxAgeMs: 120_000 }],
  ])('for %s, the most specific pattern counts whole', (topic, limits) => {
    expect(readKeep(rules).limitsOf(topic, others)).toEqual(limits)
  })

  test('a topic that no pattern matches has no limits of its own', () => {
    expect(readKeep({ 'a.*': { latest: true } }).limitsOf('b', others)).toBeUndefined()
  })

  test('the same rules in another order are the same', () => {
    const one = readKeep({ a: { maxAge: '60s' }, b: { latest: true } })
    const other = readKeep({ b: { latest: true }, a: { maxAge: '1m' } })

    expect(one.text).toBe(other.text)
  })

  test.each<[unknown, string]>([
    [{ 'a*': {} }, '"a*" must be a topic, prefix.* or *'],
    [{ $disconnect: {} }, '"$disconnect" must be a topic, prefix.* or *'],
    [{ a: { maxAge: 'long' } }, 'a: maxAge must be a duration such as 10m, 24h or 30d'],
    [{ a: { maxAge: '0s' } }, 'a: maxAge must be a duration'],
    [{ a: { maxCount: 1 } }, 'For the newest event, use latest: true'],
    [{ a: { maxCount: 2.5 } }, 'a: maxCount must be a whole number of at least 2'],
    [{ a: { maxCount: 0 } }, 'a: maxCount must be a whole number of at least 2'],
    [{ a: { latest: 'yes' } }, 'a: latest must be true or false'],
    [{ a: { latest: true, maxCount: 5 } }, 'a: latest and maxCount exclude each other'],
    [{ a: undefined }, 'a: the rule must be an object'],
    [{ a: '30d' }, 'a: the rule must be an object'],
    [{ a: { age: '1m' } }, 'a: age is not known. Use maxAge, maxCount or latest'],
  ])('refuses %j: %s', (keep, message) => {
    expect(() => createSse({ keep: keep as Record<string, KeepRule> })).toThrow(message)
  })
})

describe('createSse with keep', () => {
  test('keeps the newest event alone where the rule says so, and a reader behind gets it without a loss', async () => {
    const { ids } = await sse.publish('price.a', 'tick', 1)
    for (const n of [2, 3]) await sse.publish('price.a', 'tick', n)
    for (const n of [1, 2]) await sse.publish('price.all', 'tick', n)

    const { events } = await sse.history(['price.a', 'price.all'])
    const url = `http://localhost/events/price.a?lastEventId=${ids[0]}`
    const stream = readEvents(await sse.topicRoute.GET(new Request(url)))
    const [connected, newest] = [await stream.next(), await stream.next()]
    await stream.return(undefined)

    expect(events.map(({ topic, data }) => `${topic} ${data}`)).toEqual([
      'price.a 3',
      'price.all 1',
      'price.all 2',
    ])
    expect(connected.value).toMatchObject({ event: 'connected' })
    expect(newest.value).toMatchObject({ event: 'tick', data: '3' })
  })

  test('takes what a rule leaves out from the environment', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    await sse.publish('short.a', 'x', 1)
    await sse.publish('price.b', 'x', 1)

    vi.setSystemTime(Date.now() + 60_001)
    const minuteLater = await sse.history(['short.a', 'price.b'])
    vi.setSystemTime(Date.now() + 3_600_000)
    const hourLater = await sse.history(['short.a', 'price.b'])

    expect(minuteLater.events.map(({ topic }) => topic)).toEqual(['price.b'])
    expect(hourLater.events).toEqual([])
  })

  test('a topic of one event can not have runs', async () => {
    async function* source(): AsyncGenerator<{ data: number }> {
      yield { data: 1 }
    }
    const url = 'http://localhost/events/price.a?run=r1&op=begin'

    const running = sse.run('price.a', source)
    const answer = await sse.topicRoute.POST(new Request(url, { method: 'POST' }))

    await expect(running).rejects.toMatchObject({ name: 'RunError', code: 'latest-topic' })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ code: 'invalid-query' })
  })

  test('says in the journal once what is kept', async () => {
    const info = vi.spyOn(journal, 'info').mockImplementation(() => {})
    const other = { 'price.*': { latest: true }, a: { maxAge: '30d' }, b: { maxCount: 5 } }

    for (let n = 0; n < 2; n++) await createSse({ keep: other }).start()

    expect(info).toHaveBeenCalledExactlyOnceWith(
      'createSse has `keep`: price.* keeps the newest event for 1h; a keeps 1,000 events for 30d; b keeps 5 events for 1h; other topics keep 1,000 events for 1h.',
    )
  })

  test('throws in production when another server object says something else, and not when it says nothing or the same', () => {
    vi.stubEnv('NODE_ENV', 'production')
    const same = { 'price.all': {}, 'short.*': { maxAge: '60s' }, 'price.*': { latest: true } }

    expect(() => createSse({ keep: same })).not.toThrow()
    expect(() => createSse()).not.toThrow()
    expect(() => createSse({ keep: { 'price.*': { latest: true } } })).toThrow(
      'another server object of this process has another `keep`',
    )
  })

  test('in development, the newest counts', async () => {
    vi.stubEnv('NODE_ENV', 'development')
    createSse({ keep: { 'now.*': { latest: true } } })

    for (const n of [1, 2]) await sse.publish('now.a', 'x', n)
    for (const n of [1, 2]) await sse.publish('price.c', 'x', n)

    expect((await sse.history('now.a')).events).toHaveLength(1)
    expect((await sse.history('price.c')).events).toHaveLength(2)
  })
})
