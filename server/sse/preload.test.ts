import { afterAll, describe, expect, test, vi } from 'vitest'
import { anonymousReader } from '@/protocol/reader-key'
import { parsePreloaded, type PreloadedEvents, type PreloadedTopics } from '@/protocol/preloaded'
import { signToken } from '@/test/requests/publisher'
import type { Authorize } from '@/server/access/authorize'
import { ownAccess } from '@/server/access/own-access'
import { readerNamed } from '@/server/access/reader-of'
import { tokenAccess } from '@/server/access/tokens/token-access'
import type { ReadFrom } from '@/server/hub/read-events'
import { journal } from '@/server/observe/journal'
import { preloadTopics, type FromRun } from './preload'
import { processEngine } from '@/server/engine'
import { createSse } from './sse'

const secret = 'the secret of these tests, of 32 bytes and more'
// The configuration is read on first use, not on import.
vi.stubEnv('EVENTS_URL', 'memory:')
vi.stubEnv('EVENTS_JWT_SECRET', secret)
vi.stubEnv('PUBLIC_TOPICS', 'news,large')
const sse = createSse()

afterAll(() => sse.close())

function tokenOf(subject: string): string {
  return signToken({ sub: subject, events: { subscribe: ['private.*'] } }, { secret })
}

interface Asked {
  from?: ReadFrom | FromRun
  token?: string
  /** How the app decides itself. */
  authorize?: Authorize
}

/** What is preloaded for a page whose request had this cookie. */
async function preload(
  topics: string | string[],
  { from = {}, token, authorize }: Asked = {},
): Promise<PreloadedTopics | undefined> {
  const headers = new Headers({ host: 'app.example.com' })
  if (token !== undefined) headers.set('cookie', `events_token=${token}`)
  const engine = processEngine()
  const access = authorize
    ? ownAccess({ authorize, recheckMs: 1_000, revalidate: undefined }, engine.config)
    : tokenAccess(engine.tokenRules)
  const given = { topics, from, path: '/events', headers, access }
  return parsePreloaded(await preloadTopics(engine, given))
}

/** What a stream of the topics says of its reader. */
async function readerOf(topic: string, token: string): Promise<string | null> {
  const headers = { cookie: `events_token=${token}` }
  const response = await sse.topicRoute.HEAD(
    new Request(`http://localhost/events/${topic}`, { headers }),
  )
  return response.headers.get('event-reader')
}

describe('preloadTopics', () => {
  test('reads public topics for everyone: their events, and where they go on', async () => {
    await sse.publish('news', 'n', 1)
    const { ids } = await sse.publish('news', 'n', 2)
    const before = Date.now()

    const preloaded = await preload(['news', 'large'], { from: { last: 1 } })

    expect(preloaded).toMatchObject({ topics: ['news', 'large'], path: '/events' })
    expect(preloaded?.time).toBeGreaterThanOrEqual(before)
    expect(preloaded?.answer).toEqual({
      reader: anonymousReader,
      cursor: ids[0],
      events: [
        {
          id: ids[0],
          topic: 'news',
          type: 'n',
          data: '2',
          time: expect.any(Number) as number,
        },
      ],
    })
  })

  test('reads for the reader of the page’s cookie, as the stream will', async () => {
    await sse.publish('private.ana', 'n', 1)
    const token = tokenOf('ana')

    const preloaded = await preload('private.ana', { token })

    expect(preloaded?.answer).toMatchObject({
      reader: await readerOf('private.ana', token),
      events: [{ data: '1' }],
    })
  })

  test.each([
    ['private.ana', undefined, 401, 'token-required'],
    ['private.ana', 'nonsense', 401, 'invalid-token'],
    ['secret', tokenOf('ana'), 403, 'not-granted'],
  ])('tells who may not read %s with the token %j: %d %s', async (topic, token, status, code) => {
    await sse.publish(topic, 'n', 1)

    const preloaded = await preload([topic, 'news'], token === undefined ? {} : { token })

    expect(preloaded?.answer).toEqual({ status, code, detail: expect.any(String) as string })
  })

  test('asks `authorize` about the request for the page, in place of one for the stream', async () => {
    await sse.publish('private.bob', 'n', 1)
    const asked: string[] = []
    const authorize: Authorize = ({ topics, request: { method, url, headers } }) => {
      asked.push([method, url, headers.get('cookie'), ...topics].join(' '))
      return { subject: 'bob' }
    }

    const granted = await preload(['private.bob', 'news'], { token: 'a', authorize })
    const refused = await preload('private.bob', { authorize: () => false })

    expect(granted?.answer).toMatchObject({ reader: readerNamed('bob') })
    expect(refused?.answer).toMatchObject({ status: 403, code: 'not-granted' })
    expect(asked).toEqual([
      'GET http://app.example.com/events/private.bob,news events_token=a private.bob',
    ])
  })

  test('leaves to the stream what is published while `authorize` decides: the session may have ended before', async () => {
    const { ids } = await sse.publish('private.late', 'n', 1)
    const authorize: Authorize = async () => {
      await sse.publish('private.late', 'n', 2)
      return { subject: 'bob' }
    }

    const all = await preload('private.late', { authorize })
    const none = await preload('private.none', { from: { last: 5 }, authorize })

    expect(all?.answer).toMatchObject({ events: [{ id: ids[0] }], cursor: ids[0] })
    expect(none?.answer).toMatchObject({ events: [] })
  })

  test('says when events after `after` are no longer kept, and has the others', async () => {
    const { ids } = await sse.publish('private.kept', 'n', 1)
    const token = tokenOf('ana')

    const complete = await preload('private.kept', { token, from: { after: ids[0] } })
    const lacking = await preload('private.kept', { token, from: { after: 'other.7' } })

    expect(complete?.answer).toMatchObject({ events: [] })
    expect(complete?.answer).not.toHaveProperty('gap')
    expect(lacking?.answer).toMatchObject({
      events: [{ id: ids[0] }],
      gap: { reason: 'epoch', from: 'other.7', oldest: ids[0], topics: ['private.kept'] },
    })
  })

  test('throws when `authorize` can not decide now: asked again, it may grant', async () => {
    vi.spyOn(journal, 'error').mockReturnValue()
    const authorize = (): never => {
      throw new Error('The sessions are away.')
    }

    await expect(preload('private.bob', { authorize })).rejects.toMatchObject({
      name: 'Refusal',
      code: 'unavailable',
    })
  })

  test.each([
    ['a b', {}, 'invalid-topic'],
    ['news', { last: -1 }, 'invalid-start'],
  ])('refuses %j from %j: %s', async (topic, from, code) => {
    await expect(preload(topic, { from })).rejects.toMatchObject({ name: 'ReadError', code })
  })

  test('warns once of a page with more than 128 KiB, and preloads it all the same', async () => {
    const warn = vi.spyOn(journal, 'warn').mockReturnValue()
    for (let n = 0; n < 40; n++) await sse.publish('large', 'n', 'x'.repeat(55_000))

    await preload('large', { from: { last: 2 } })
    expect(warn).not.toHaveBeenCalled()
    const preloaded = await preload('large')
    await preload('large')

    expect(preloaded?.answer).toMatchObject({ events: { length: 40 } })
    expect(warn).toHaveBeenCalledOnce()
    expect(warn.mock.calls[0]?.[0]).toMatch(
      /^sse\.preload\(\["large"\]\) puts 2\d{3} KiB into the page: ask for fewer events/,
    )
  })
})

describe('preload with a run', () => {
  test('has the run that began last, and first how it stands', async () => {
    await sse.publish('news', 'message', 'before')
    const run = await sse.run('news', async function* () {
      yield { type: 'n', data: 1 }
    })
    await run.ended

    const preloaded = await preload('news', { from: { run: 'latest' } })

    const answer = preloaded?.answer as PreloadedEvents
    expect(answer.events.map(({ type, data }) => [type, JSON.parse(data) as unknown])).toEqual([
      ['run.state', { run: run.id, status: 'done' }],
      ['run.begin', { run: run.id }],
      ['n', 1],
      ['run.end', { run: run.id, status: 'done' }],
    ])
    expect(answer.events[0]?.id).toBe(run.cursor)
    expect(answer.cursor).toBe(answer.events.at(-1)?.id)
  })

  test('says where there is none, and from where to continue', async () => {
    const preloaded = await preload('large', { from: { run: 'latest' } })

    expect(preloaded?.answer).toMatchObject({
      events: [{ type: 'run.state', data: '{"run":null,"status":"unknown"}' }],
      cursor: expect.any(String) as string,
    })
  })

  test('is of one topic', async () => {
    await expect(preload(['news', 'large'], { from: { run: 'latest' } })).rejects.toMatchObject({
      name: 'ReadError',
      code: 'invalid-start',
    })
  })
})
