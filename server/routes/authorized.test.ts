/** What the handlers do for an app that says by its own `authorize` who may read and publish. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { signToken } from '@/test/requests/publisher'
import { readAllEvents, readEvents } from '@/test/readers/read-events'
import { anonymousReader } from '@/protocol/reader-key'
import type { AccessQuestion, Authorize, Revalidate } from '@/server/access/authorize'
import { journal } from '@/server/observe/journal'
import { metrics } from '@/server/observe/metrics'
import { Refusal } from '@/server/refusal'
import { createSse } from '@/server/sse/sse'

const secret = 'the secret of these tests, of 32 bytes and more'
// The configuration is read on first use, not on import.
vi.stubEnv('EVENTS_URL', 'memory:')
vi.stubEnv('EVENTS_JWT_SECRET', secret)
vi.stubEnv('PUBLIC_TOPICS', 'news')
vi.stubEnv('CORS_ORIGINS', 'https://app.example.com')
vi.stubEnv('LIMIT_STREAMS', '2')
vi.stubEnv('LIMIT_PUBLISH', '3')
vi.stubEnv('HEARTBEAT', '100ms')

interface Asking {
  topics?: string
  method?: 'GET' | 'HEAD' | 'POST'
  headers?: Record<string, string>
  recheck?: string
  revalidate?: Revalidate
}

/** The answer to one request of an app with this `authorize`. */
function ask(
  authorize: Authorize,
  { topics = 'private', method = 'GET', headers = {}, ...options }: Asking = {},
): Promise<Response> {
  const request = new Request(`http://localhost:3000/events/${topics}`, {
    method,
    headers,
    ...(method === 'POST' && { body: 'hello' }),
  })
  return createSse({ authorize, ...options }).topicRoute[method](request)
}

/** The code of a refusal, or its status where it is none. */
async function codeOf(answer: Promise<Response>): Promise<unknown> {
  const response = await answer
  const isRefused = response.headers.get('content-type') === 'application/problem+json'
  if (!isRefused) {
    await response.body?.cancel()
    return response.status
  }
  const { status, code } = (await response.json()) as { status: number; code: string }
  return `${status} ${code}`
}

/** The type of a stream's first event. Leaves the stream. */
async function firstOf(response: Response): Promise<string | undefined> {
  const stream = readEvents(response)
  const { value } = await stream.next()
  await stream.return(undefined)
  return value?.event
}

const lines = (): unknown[] => vi.mocked(journal.error).mock.calls.map(([, text]) => text)

beforeEach(() => {
  vi.spyOn(journal, 'error').mockImplementation(() => {})
})

afterEach(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  expect((await metrics.openStreams.get()).values[0]?.value).toBe(0)
})

describe('authorize', () => {
  test('is asked once for all topics that are not public, with the request as it came', async () => {
    const asked: AccessQuestion[] = []
    const headers = { cookie: 'session=s1' }

    await codeOf(
      ask((question) => asked.push(question) > 0, { topics: 'a,news,b?last=1', headers }),
    )

    expect(asked.map(({ topics }) => topics)).toEqual([['a', 'b']])
    const [{ request } = { request: undefined }] = asked
    expect(request).toBeInstanceOf(Request)
    expect(request?.url).toBe('http://localhost:3000/events/a,news,b?last=1')
    expect(request?.headers.get('cookie')).toBe('session=s1')
  })

  test('is not asked for public topics', async () => {
    const authorize = vi.fn<() => boolean>()

    expect(await codeOf(ask(authorize, { topics: 'news' }))).toBe(200)

    expect(authorize).not.toHaveBeenCalled()
  })

  test('is asked for HEAD too, which gets the same answer', async () => {
    expect((await ask(() => ({ subject: 'ana' }), { method: 'HEAD' })).status).toBe(200)
    expect((await ask(() => false, { method: 'HEAD' })).status).toBe(403)
  })

  test('has its say alone: no token counts', async () => {
    const token = signToken({ events: { subscribe: ['*'], publish: ['*'] } }, { secret })
    const headers = { authorization: `Bearer ${token}` }

    expect(await codeOf(ask(() => false, { headers }))).toBe('403 not-granted')
    expect(await codeOf(ask(() => true, { headers, method: 'POST' }))).toBe('403 not-granted')
  })

  test('must be a function, or an object of functions', () => {
    const wrong = [{ read: true }, { reads: () => true }, 'read', { stop: undefined }]

    for (const authorize of wrong) {
      expect(() => createSse({ authorize: authorize as unknown as Authorize })).toThrow(
        'authorize must be a function, or { read, publish, stop }',
      )
    }
  })
})

describe('what authorize answers', () => {
  const asUser = (answer: unknown): Authorize => (() => answer) as unknown as Authorize

  test.each([
    [true, 200],
    [{ subject: 'ana' }, 200],
    [Promise.resolve({ subject: 'ana' }), 200],
    [false, '403 not-granted'],
    [{ subject: undefined }, '401 login-required'],
    [{ subject: '' }, '401 login-required'],
    [{ subject: 'ana', until: Date.now() - 1 }, '401 login-required'],
  ])('%o: %s', async (answer, code) => {
    expect(await codeOf(ask(asUser(answer)))).toBe(code)
    expect(journal.error).not.toHaveBeenCalled()
  })

  test.each([
    [undefined, 'undefined'],
    [new Response(null, { status: 200 }), 'an instance of Response'],
    [{ id: 'ana', role: 'admin' }, 'an object with id, role'],
  ])('%o grants nothing: 500, and one line in the journal', async (answer, what) => {
    expect(await codeOf(ask(asUser(answer)))).toBe('500 access-error')
    expect(await codeOf(ask(asUser(answer)))).toBe('500 access-error')

    expect(lines()).toEqual([
      `\`authorize\` must answer true, false, or an object of subject, sessionKey and until. It answered ${what}, and nothing was granted.`,
    ])
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('no database')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no database, later'))],
  ])('it %s: 503 with Retry-After, and one line in the journal', async (_, authorize) => {
    const response = await ask(authorize)
    await ask(authorize)

    expect(response.headers.get('retry-after')).toBe('5')
    expect(await codeOf(Promise.resolve(response))).toBe('503 unavailable')
    expect(lines()).toEqual(['`authorize` failed, and nothing was granted.'])
  })

  test('it never comes: 503 after ten seconds', async () => {
    vi.useFakeTimers()
    const answer = codeOf(ask(() => new Promise(() => {})))

    await vi.advanceTimersByTimeAsync(10_000)

    expect(await answer).toBe('503 unavailable')
    expect(lines()).toEqual(['`authorize` failed, and nothing was granted.'])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('it is a refusal of the app, thrown: as the app says', async () => {
    const refuse = (): never => {
      throw new Refusal({ status: 402, code: 'unpaid', title: 'Unpaid' }, 'Pay first.')
    }

    expect(await codeOf(ask(refuse))).toBe('402 unpaid')
    expect(journal.error).not.toHaveBeenCalled()
  })
})

describe('publishing', () => {
  test('is closed where a function answers for reading', async () => {
    const authorize = vi.fn<() => boolean>(() => true)

    const response = await ask(authorize, { method: 'POST' })

    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({
      code: 'not-granted',
      detail: 'Nobody may publish over HTTP: on the server, createSse has no authorize.publish.',
    })
    expect(authorize).not.toHaveBeenCalled()
  })

  test('is asked for by its own name, with the topic and without the body', async () => {
    const publish = vi.fn<(asked: AccessQuestion) => boolean>(({ request }) => !request.body)

    expect(await codeOf(ask({ publish }, { topics: 'p.one', method: 'POST' }))).toBe(201)
    expect(await codeOf(ask({ publish }, { topics: 'p.one' }))).toBe('403 not-granted')

    expect(publish.mock.calls.map(([{ topics }]) => topics)).toEqual([['p.one']])
  })

  test('counts by subject where there is one, else by address', async () => {
    const as = (subject: string, address: string): Promise<unknown> =>
      codeOf(
        ask(
          { publish: () => ({ subject }) },
          { topics: 'p.many', method: 'POST', headers: { 'x-forwarded-for': address } },
        ),
      )

    const anas = [1, 2, 3, 4].map((host) => as('ana', `192.0.2.${host}`))

    expect(await Promise.all(anas)).toEqual([201, 201, 201, '429 too-many-publishes'])
    expect(await as('bob', '192.0.2.1')).toBe(201)
    const anonymous = { method: 'POST', headers: { 'x-forwarded-for': '192.0.2.9' } } as const
    for (const expected of [201, 201, 201, '429 too-many-publishes']) {
      expect(await codeOf(ask({ publish: () => true }, anonymous))).toBe(expected)
    }
  })

  test('that is refused counts by address; a fault of the server does not', async () => {
    const from = (address: string): Asking => ({
      method: 'POST',
      headers: { 'x-forwarded-for': address },
    })
    const broken = {
      publish: (): never => {
        throw new Error('no database, to publish')
      },
    }

    for (const expected of [403, 403, 403, 429]) {
      const code = await codeOf(ask({ publish: () => false }, from('192.0.2.20')))
      expect(String(code)).toContain(String(expected))
    }
    for (let n = 0; n < 5; n++) {
      expect(await codeOf(ask(broken, from('192.0.2.21')))).toBe('503 unavailable')
    }
  })
})

describe('streams', () => {
  test('count by subject where there is one, else by address', async () => {
    const open = (subject: string, address: string): Promise<Response> =>
      ask(() => ({ subject }), { headers: { 'x-forwarded-for': address } })
    const streams = [await open('ana', '192.0.2.1'), await open('ana', '192.0.2.2')]

    expect(await firstOf(await open('ana', '192.0.2.3'))).toBe('reconnect')
    const bobs = await open('bob', '192.0.2.1')
    await bobs.body?.cancel()
    for (const stream of streams) await stream.body?.cancel()
    expect(await codeOf(open('ana', '192.0.2.3'))).toBe(200)
  })

  test('name their reader by the login, else by the user', async () => {
    const readerFor = async (answer: object | true): Promise<string | null> =>
      (await ask(() => answer, { method: 'HEAD' })).headers.get('event-reader')

    const ana = await readerFor({ subject: 'ana' })

    expect(ana).toMatch(/^[\w-]{16}$/)
    expect(await readerFor({ subject: 'ana', until: Date.now() + 60_000 })).toBe(ana)
    expect(await readerFor({ subject: 'ana', sessionKey: 's1' })).not.toBe(ana)
    expect(await readerFor({ subject: 'bob', sessionKey: 's1' })).toBe(
      await readerFor({ subject: 'ana', sessionKey: 's1' }),
    )
    expect(await readerFor(true)).toBe(anonymousReader)
  })

  test('whose sessionKey changes at each request: a warning, once', async () => {
    vi.spyOn(journal, 'warn').mockImplementation(() => {})
    let count = 0
    const { HEAD } = createSse({
      authorize: () => ({ subject: 'ana', sessionKey: `s${count++}` }),
    }).topicRoute

    for (let n = 1; n <= 5; n++) {
      await HEAD(new Request('http://localhost:3000/events/private'))
      expect(journal.warn).toHaveBeenCalledTimes(n < 3 ? 0 : 1)
    }
  })

  test('end when the right ends', async () => {
    const response = await ask(() => ({ subject: 'ana', until: Date.now() + 50 }))

    const events = await readAllEvents(response)

    expect(events.at(-1)).toMatchObject({
      event: 'reconnect',
      data: expect.stringContaining('expired') as unknown,
    })
  })

  test('keep nothing of the request that they were opened by', async () => {
    const seen: WeakRef<object>[] = []
    const authorize: Authorize = ({ request }) => {
      const session = { userId: 'ana' }
      seen.push(new WeakRef(request), new WeakRef(session))
      return { subject: session.userId }
    }
    const open = (): Promise<Response> => {
      const request = new Request('http://localhost:3000/events/private')
      seen.push(new WeakRef(request))
      return createSse({ authorize, revalidate: () => true }).topicRoute.GET(request)
    }
    const response = await open()
    const stream = readEvents(response)
    await stream.next()

    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    await vi.waitFor(() => {
      collect()
      // Not the objects themselves: an assertion that fails would keep them.
      expect(seen.map((one) => one.deref() !== undefined)).toEqual([false, false, false])
    })

    await stream.return(undefined)
  })
})

describe('recheck', () => {
  test.each(['5', '', '0s', 'off', '-1s'])('can not be %j', (recheck) => {
    expect(() => createSse({ authorize: () => true, recheck })).toThrow(
      'recheck must be a duration such as 30s, 5m or 1h',
    )
  })

  test.each([{ recheck: '5m' }, { revalidate: () => true }])('%o is for authorize', (options) => {
    expect(() => createSse(options)).toThrow('are about what authorize has granted')
  })

  test('asks the reader to come back, and public topics never', async () => {
    const events = await readAllEvents(await ask(() => true, { recheck: '100ms' }))
    const open = await ask(() => true, { recheck: '100ms', topics: 'news' })
    const stream = readEvents(open)

    expect(events.at(-1)?.data).toContain('expired')
    // The first pings are later than a recheck would be.
    for (const type of ['connected', 'ping', 'ping', 'ping']) {
      expect((await stream.next()).value?.event).toBe(type)
    }
    await stream.return(undefined)
  })

  test('asks revalidate instead, about what was granted', async () => {
    const revalidate = vi.fn<Revalidate>()
    revalidate.mockResolvedValueOnce(true).mockReturnValueOnce(true).mockResolvedValueOnce(false)
    const until = Date.now() + 60_000

    const events = await readAllEvents(
      await ask(() => ({ subject: 'ana', sessionKey: 's1', until }), {
        topics: 'private,news',
        recheck: '60ms',
        revalidate,
      }),
    )

    expect(events.at(-1)?.data).toContain('expired')
    expect(revalidate.mock.calls).toEqual(
      Array.from({ length: 3 }, () => [{ subject: 'ana', sessionKey: 's1', topics: ['private'] }]),
    )
    expect(journal.error).not.toHaveBeenCalled()
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('no database, to revalidate')
      },
      'failed',
    ],
    ['answers a user', () => ({ id: 'ana' }), 'must answer true or false'],
  ])(
    'a revalidate that %s ends the stream, with one line in the journal',
    async (_, revalidate, words) => {
      const asked = { recheck: '60ms', revalidate: revalidate as unknown as Revalidate }

      const events = await readAllEvents(await ask(() => true, asked))

      expect(events.at(-1)?.data).toContain('expired')
      expect(lines()).toEqual([expect.stringContaining(`\`revalidate\` ${words}`)])
    },
  )

  test('a revalidate that never answers ends the stream after ten seconds', async () => {
    vi.useFakeTimers()
    const reading = ask(() => true, {
      recheck: '1s',
      revalidate: () => new Promise<boolean>(() => {}),
    }).then(readAllEvents)

    await vi.advanceTimersByTimeAsync(11_000)

    expect((await reading).at(-1)?.data).toContain('expired')
    expect(lines()).toEqual([expect.stringContaining('`revalidate` failed')])
  })
})

describe('a page of another site', () => {
  const evil = { origin: 'https://evil.example.com', 'sec-fetch-site': 'cross-site' }
  const allowed = { origin: 'https://app.example.com', 'sec-fetch-site': 'cross-site' }

  test.each(['GET', 'HEAD'] as const)(
    'reads nothing by %s, and authorize is not asked',
    async (method) => {
      const authorize = vi.fn<() => boolean>(() => true)

      const response = await ask(authorize, { method, headers: evil })

      expect(response.status).toBe(403)
      expect(authorize).not.toHaveBeenCalled()
    },
  )

  test('is told why', async () => {
    expect(await codeOf(ask(() => true, { headers: evil }))).toBe('403 cross-site')
  })

  test('spends no stream of the user', async () => {
    const authorize = (): { subject: string } => ({ subject: 'carl' })
    for (let n = 0; n < 3; n++) await codeOf(ask(authorize, { headers: evil }))

    const streams = [await ask(authorize), await ask(authorize)]

    for (const stream of streams) expect(await firstOf(stream)).toBe('connected')
  })

  test('reads public topics, and all that an allowed origin may', async () => {
    expect(await codeOf(ask(() => true, { topics: 'news', headers: evil }))).toBe(200)
    expect(await codeOf(ask(() => true, { topics: 'news,private', headers: evil }))).toBe(
      '403 cross-site',
    )
    expect(await codeOf(ask(() => true, { headers: allowed }))).toBe(200)
  })
})
