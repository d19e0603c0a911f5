/** How the server names the reader of a stream, and how it answers a request that expects another reader. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { signToken } from '@/test/requests/publisher'
import { readEvents } from '@/test/readers/read-events'
import { anonymousReader } from '@/protocol/reader-key'
import { metrics } from '@/server/observe/metrics'
import { createSse } from '@/server/sse/sse'

const secret = 'the secret of these tests, of 32 bytes and more'
const origin = 'https://app.example.com'
// The configuration is read on first use, not on import.
vi.stubEnv('EVENTS_URL', 'memory:')
vi.stubEnv('EVENTS_JWT_SECRET', secret)
vi.stubEnv('PUBLIC_TOPICS', 'news')
vi.stubEnv('CORS_ORIGINS', origin)
vi.stubEnv('LIMIT_STREAMS', '1')

const { GET, HEAD, OPTIONS } = createSse().topicRoute

type Handler = typeof GET

const anna = tokenOf({ sub: 'anna' })
const bert = tokenOf({ sub: 'bert' })

function tokenOf(claims: object): string {
  return signToken({ events: { subscribe: ['private.*'] }, ...claims }, { secret })
}

function call(handler: Handler, rest: string, token?: string): Promise<Response> {
  const url = new URL(`http://localhost:3000/events/${rest}`)
  const headers = { origin, ...(token !== undefined && { cookie: `events_token=${token}` }) }
  return handler(new Request(url, { headers }))
}

/** The reader in the answer's header, and in the stream's first event. */
async function readersOf(response: Response): Promise<unknown[]> {
  const stream = readEvents(response)
  const { value } = await stream.next()
  await stream.return(undefined)
  const { reader } = JSON.parse(value?.data ?? '{}') as { reader?: unknown }
  return [response.headers.get('event-reader'), value?.event, reader]
}

async function readerIn(rest: string, token?: string): Promise<string> {
  return (await call(HEAD, rest, token)).headers.get('event-reader') ?? ''
}

afterEach(async () => {
  expect((await metrics.openStreams.get()).values[0]?.value).toBe(0)
})

describe('a stream names its reader', () => {
  test('in a header, for HEAD too, and in its first event', async () => {
    const key = await readerIn('private.x', anna)

    expect(key).toMatch(/^[\w-]{16}$/)
    expect(await readersOf(await call(GET, 'private.x', anna))).toEqual([key, 'connected', key])
    expect(await readerIn('private.x,news', anna)).toBe(key)
    expect(await readerIn('private.x', bert)).not.toBe(key)
    expect(key).not.toContain('anna')
  })

  test('public topics have the same reader, with any token', async () => {
    const expired = tokenOf({ sub: 'anna', exp: 1 })

    for (const token of [undefined, anna, bert, expired, 'nonsense']) {
      expect(await readersOf(await call(GET, 'news', token))).toEqual([
        anonymousReader,
        'connected',
        anonymousReader,
      ])
    }
  })

  test('also when the stream is asked to come back later', async () => {
    const open = await call(GET, 'private.x', anna)

    const refused = await call(HEAD, 'private.x', anna)
    const stream = readEvents(await call(GET, 'private.x', anna))
    const { value: first } = await stream.next()
    await stream.return(undefined)
    await open.body?.cancel()

    expect(first?.event).toBe('reconnect')
    expect(refused.headers.get('event-reader')).toBe(await readerIn('private.x', anna))
  })

  test('only to the client itself, so no cache may store the answer', async () => {
    const { headers } = await call(HEAD, 'private.x', anna)

    expect(headers.get('cache-control')).toBe('no-store, no-cache, no-transform')
    expect(headers.get('vary')).toMatch(/\bCookie, Authorization\b/)
  })

  test('also to pages of allowed origins', async () => {
    const { headers } = await call(HEAD, 'private.x', anna)

    expect(headers.get('access-control-expose-headers')).toContain('Event-Reader')
    expect((await call(OPTIONS, 'x')).ok).toBe(true)
  })
})

describe('?reader=', () => {
  test('lets the same reader continue', async () => {
    const key = await readerIn('private.x', anna)

    const [header] = await readersOf(await call(GET, `private.x?reader=${key}`, anna))

    expect(header).toBe(key)
  })

  test.each([GET, HEAD])(
    'is answered with 409 when the reader has changed: %o',
    async (handler) => {
      const key = await readerIn('private.x', anna)

      const response = await call(handler, `private.x?reader=${key}`, bert)

      expect(response.status).toBe(409)
      expect(response.headers.get('content-type')).toBe('application/problem+json')
      if (handler === HEAD) return
      expect(await response.json()).toMatchObject({ status: 409, code: 'reader-changed' })
    },
  )

  test('of the anonymous reader is answered with 409 when there is a token, and the other way round', async () => {
    const key = await readerIn('private.x', anna)

    const signedIn = await call(GET, `private.x?reader=${anonymousReader}`, anna)
    const signedOut = await call(GET, `news?reader=${key}`)

    expect([signedIn.status, signedOut.status]).toEqual([409, 409])
  })

  test('is checked after the grants of the token', async () => {
    const key = await readerIn('private.x', anna)

    const none = await call(GET, `private.x?reader=${key}`)
    const notGranted = await call(GET, `secret?reader=${key}`, bert)

    expect([none.status, notGranted.status]).toEqual([401, 403])
  })

  test.each(['', 'x', 'anna', '0123456789abcdef=', '0123456789abcdef,'])(
    '%j is not a key: invalid-query',
    async (text) => {
      const response = await call(GET, `news?reader=${encodeURIComponent(text)}`)

      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ code: 'invalid-query' })
    },
  )
})
