/** Tokens as a part of an app's own `authorize`. */
import { describe, expect, test, vi } from 'vitest'
import { readAllEvents } from '@/test/readers/read-events'
import { signToken } from '@/test/requests/publisher'
import { byToken } from './by-token'
import { createSse } from './sse'

const secret = 'the secret of these tests, of 32 bytes and more'
// The configuration is read on first use, not on import.
vi.stubEnv('EVENTS_URL', 'memory:')
vi.stubEnv('EVENTS_JWT_SECRET', secret)
vi.stubEnv('PUBLIC_TOPICS', 'news')
vi.stubEnv('LIMIT_PUBLISH', '2')

/** People have the cookie `user`; other programs have a token. */
const sse = createSse({
  authorize: {
    read: (asked) => {
      const [, user] = /user=(\w+)/.exec(asked.request.headers.get('cookie') ?? '') ?? []
      return user === undefined ? byToken.read(asked) : { subject: user }
    },
    publish: byToken.publish,
  },
})

function ask(
  topic: string,
  headers: Record<string, string>,
  method: 'GET' | 'HEAD' | 'POST' = 'HEAD',
): Promise<Response> {
  const body = method === 'POST' ? 'hello' : undefined
  const request = new Request(`http://localhost:3000/events/${topic}`, {
    method,
    headers,
    ...(body && { body }),
  })
  return sse.topicRoute[method](request)
}

function bearer(claims: object): Record<string, string> {
  return { authorization: `Bearer ${signToken(claims, { secret })}` }
}

async function codeOf(answer: Response): Promise<unknown> {
  return ((await answer.json()) as { code: string }).code
}

describe('reading', () => {
  test('a session and a token each grant what they cover', async () => {
    const answers = await Promise.all([
      ask('orders', { cookie: 'user=ana' }),
      ask('orders', bearer({ events: { subscribe: ['orders'] } })),
      ask('news', {}),
    ])

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
  })

  test('what a token does not grant is refused as without an authorize', async () => {
    const token = bearer({ events: { subscribe: ['stock'] } })
    const refused = [
      await ask('orders', token, 'GET'),
      await ask('orders', {}, 'GET'),
      await ask('orders', { authorization: 'Bearer nonsense' }, 'GET'),
    ]

    expect(await Promise.all(refused.map(codeOf))).toEqual([
      'not-granted',
      'token-required',
      'invalid-token',
    ])
    expect(refused[1]?.headers.get('www-authenticate')).toBe('Bearer')
  })

  test('a token’s subject is the same reader as the session’s', async () => {
    const session = await ask('orders', { cookie: 'user=ana' })
    const token = await ask('orders', bearer({ sub: 'ana', events: { subscribe: ['*'] } }))
    const other = await ask('orders', bearer({ events: { subscribe: ['*'] } }))

    const readers = [session, token, other].map(({ headers }) => headers.get('event-reader'))
    expect(readers[0]).toBe(readers[1])
    expect(readers[2]).not.toBe(readers[0])
  })

  test('the stream ends when the token does', async () => {
    const exp = Math.floor(Date.now() / 1_000) + 2
    const stream = await ask('orders', bearer({ exp, events: { subscribe: ['*'] } }), 'GET')

    const events = await readAllEvents(stream)

    expect(events.at(-1)?.event).toBe('reconnect')
    expect(events.at(-1)?.data).toContain('expired')
  })
})

test('publishing with a token is not limited, and a session is not enough for it', async () => {
  const token = bearer({ events: { publish: ['orders'] } })
  const statuses = []
  for (let n = 0; n < 5; n++) statuses.push((await ask('orders', token, 'POST')).status)

  expect(statuses).toEqual([201, 201, 201, 201, 201])
  expect(await codeOf(await ask('orders', { cookie: 'user=ana' }, 'POST'))).toBe('token-required')
})
