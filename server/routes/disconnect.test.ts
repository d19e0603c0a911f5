/** What `sse.disconnect` does to the streams of the topic route. */
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { signToken } from '@/test/requests/publisher'
import { readEvents } from '@/test/readers/read-events'
import { processEngine } from '@/server/engine'
import { DisconnectError } from '@/server/hub/rights/disconnects'
import { LogError } from '@/server/log/event-log'
import { disconnectTopic } from '@/server/log/retention'
import { metrics } from '@/server/observe/metrics'
import { createSse } from '@/server/sse/sse'

const secret = 'the secret of these tests, of 32 bytes and more'
// The configuration is read on first use, not on import.
vi.stubEnv('EVENTS_URL', 'memory:')
vi.stubEnv('EVENTS_JWT_SECRET', secret)
vi.stubEnv('PUBLIC_TOPICS', 'public')
const sse = createSse()
const claims = { sub: 'ana', events: { subscribe: ['*'], publish: ['*'] } }
const token = signToken(claims, { secret })

afterEach(() => vi.restoreAllMocks())
afterAll(() => sse.close())

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { Authorization: `Bearer ${token}` }
  const request = new Request(`http://localhost/events/${path}`, { headers, ...init })
  return init.method === 'POST' ? sse.topicRoute.POST(request) : sse.topicRoute.GET(request)
}

describe('sse.disconnect', () => {
  test('asks the readers of the user to come back, and they may: their token decides', async () => {
    const stream = readEvents(await ask('private'))
    expect((await stream.next()).value).toMatchObject({ event: 'connected' })

    await sse.disconnect({ subject: 'ana' })
    const { ids } = await sse.publish('private', 'news', 1)

    const { value } = await stream.next()
    expect(value).toMatchObject({ event: 'reconnect' })
    expect(JSON.parse(value?.data ?? '')).toEqual({
      retryMs: expect.any(Number) as number,
      reason: 'revoked',
    })
    expect((await stream.next()).done).toBe(true)
    const back = readEvents(await ask('private?since=all'))
    await back.next()
    expect((await back.next()).value).toMatchObject({ id: ids[0] })
    await back.return(undefined)
  })

  test('meanwhile `authorize` is asked, the stream that it then grants gets nothing new', async () => {
    const app = createSse({
      async authorize() {
        // The session is still there when it is read.
        await app.disconnect({ sessionKey: 'phone' })
        await app.publish('private', 'news', 'after')
        return { subject: 'ana', sessionKey: 'phone' }
      },
    })
    const { GET } = app.topicRoute

    const stream = readEvents(await GET(new Request('http://localhost/events/private?since=all')))

    const seen: unknown[] = []
    for await (const { event, data } of stream) seen.push(event ?? data)
    expect(seen).toEqual(['connected', 'reconnect'])
  })

  test('leaves readers of public topics alone', async () => {
    const stream = readEvents(await ask('public'))
    await stream.next()

    await sse.disconnect({ topics: ['public'] })
    await sse.publish('public', 'news', 1)

    expect((await stream.next()).value).toMatchObject({ event: 'news' })
    await stream.return(undefined)
  })

  test.each([
    [{}],
    [undefined],
    [null],
    ['ana'],
    [{ subject: undefined }],
    [{ subject: '' }],
    [{ subject: 7 }],
    [{ sessionKey: '' }],
    [{ user: 'ana' }],
    [{ subject: 'ana', sessionKey: 'phone' }],
    [{ topics: [] }],
    [{ topics: 'orders' }],
    [{ topics: ['orders*'] }],
    [{ topics: [disconnectTopic] }],
  ])('refuses %o, and disconnects nobody', async (target) => {
    const { log } = await processEngine().hub()
    const before = await log.head()

    const disconnecting = sse.disconnect(target as never)

    await expect(disconnecting).rejects.toBeInstanceOf(DisconnectError)
    await expect(disconnecting).rejects.toMatchObject({
      code: 'invalid-target',
      message: expect.stringMatching(/^disconnect: /) as string,
    })
    expect(await log.head()).toEqual(before)
  })

  test('fails when the log is away, so that the app knows', async () => {
    const { log } = await processEngine().hub()
    vi.spyOn(log, 'append').mockRejectedValue(new LogError('unavailable', 'gone'))

    await expect(sse.disconnect({ subject: 'ana' })).rejects.toMatchObject({ code: 'unavailable' })
  })
})

describe('the topic of disconnects', () => {
  test.each(['GET', 'POST'])('is no topic for %s', async (method) => {
    const path = encodeURIComponent(disconnectTopic)
    const body = method === 'POST' ? { method, body: '{"topics":["*"]}' } : { method }

    const answer = await ask(path, body)

    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ code: 'invalid-topic' })
  })

  test('can be neither published to nor read by code', async () => {
    const invalid = { code: 'invalid-topic' }
    await expect(sse.publish(disconnectTopic, 'x', 1)).rejects.toMatchObject(invalid)
    await expect(sse.history(disconnectTopic)).rejects.toMatchObject(invalid)
    const reading = sse.read(disconnectTopic)[Symbol.asyncIterator]().next()
    await expect(reading).rejects.toMatchObject(invalid)
  })

  test('is in no history and no stream of other topics, and counts as no event', async () => {
    await sse.publish('quiet', 'news', 1)
    metrics.registry.resetMetrics()

    await sse.disconnect({ subject: 'nobody' })

    const { events } = await sse.history(['quiet', 'private'], { last: 1 })
    expect(events.map(({ topic }) => topic)).toEqual(['quiet'])
    expect(await metrics.registry.metrics()).toMatch(/^sse_events_appended_total 0$/m)
  })
})

test('a reader that may read is asked to come back while the log is away, one that may not is refused', async () => {
  const hub = await processEngine().hub()
  vi.spyOn(hub, 'mark').mockRejectedValue(new LogError('unavailable', 'gone'))

  const allowed = await ask('private')
  const refused = await ask('private', { headers: {} })

  expect(await allowed.text()).toContain('"reason":"unavailable"')
  expect(refused.status).toBe(401)
})
