/** Who may read and who may publish: every combination of server, token and origin, asked of real servers. */
import { accessEnv, signToken } from '../../test/requests/publisher'
import { sendRequest, type Answer } from '../../test/requests/send-request'
import { expect, test } from '../../test/fixtures/server-test'
import type { RunningServer } from '../../test/servers/start-server'

const allowed = 'https://allowed.example'
const topics = { public: 'open.news', guarded: 'guarded.news' }
const grants = { subscribe: ['guarded.*'], publish: ['guarded.*', 'open.*'] }

function secondsFromNow(seconds: number): number {
  return Math.floor(Date.now() / 1_000) + seconds
}

/** A token of each kind; what a server with a secret makes of it where it is needed. */
const tokens: Record<string, { token: string | undefined; refusal: string | undefined }> = {
  none: { token: undefined, refusal: 'token-required' },
  granted: { token: signToken({ exp: secondsFromNow(3_600), events: grants }), refusal: undefined },
  'granted for ever': { token: signToken({ events: grants }), refusal: undefined },
  'not granted': {
    token: signToken({ events: { subscribe: ['guarded'], publish: ['guarded.newsletter'] } }),
    refusal: 'not-granted',
  },
  'of no events': { token: signToken({ sub: 'anna' }), refusal: 'not-granted' },
  expired: {
    token: signToken({ exp: secondsFromNow(-1), events: grants }),
    refusal: 'invalid-token',
  },
  'of the future': {
    token: signToken({ nbf: secondsFromNow(3_600), events: grants }),
    refusal: 'invalid-token',
  },
  'of another secret': {
    token: signToken({ events: grants }, { secret: 'another secret, and as long as ours' }),
    refusal: 'invalid-token',
  },
  'signed by HS512': {
    token: signToken({ events: grants }, { algorithm: 'HS512' }),
    refusal: 'invalid-token',
  },
  'that calls itself RS256': {
    token: signToken({ events: grants }, { algorithm: 'RS256' }),
    refusal: 'invalid-token',
  },
  unsigned: {
    token: signToken({ events: grants }, { algorithm: 'none' }),
    refusal: 'invalid-token',
  },
  'of odd claims': {
    token: signToken(JSON.parse('{"events":{"publish":"*","__proto__":{"subscribe":["*"]}}}')),
    refusal: 'invalid-token',
  },
  'that is none': { token: "';alert(1)//", refusal: 'invalid-token' },
}

interface Origin {
  /** Of a server's URL. */
  headers: (url: string) => Record<string, string>
  isForeign: boolean
  isAllowed: boolean
}

const origins: Record<string, Origin> = {
  'no browser': { headers: () => ({}), isForeign: false, isAllowed: false },
  'our own': { headers: (url) => ({ origin: url }), isForeign: false, isAllowed: false },
  'our own, said so': {
    headers: (url) => ({ origin: url, 'sec-fetch-site': 'same-origin' }),
    isForeign: false,
    isAllowed: false,
  },
  allowed: { headers: () => ({ origin: allowed }), isForeign: false, isAllowed: true },
  'allowed, said so': {
    headers: () => ({ origin: allowed, 'sec-fetch-site': 'cross-site' }),
    isForeign: false,
    isAllowed: true,
  },
  other: {
    headers: () => ({ origin: 'https://allowed.example.evil' }),
    isForeign: true,
    isAllowed: false,
  },
  'another port': {
    headers: () => ({ origin: 'http://localhost:1', 'sec-fetch-site': 'same-site' }),
    isForeign: true,
    isAllowed: false,
  },
  null: { headers: () => ({ origin: 'null' }), isForeign: true, isAllowed: false },
}

const places: Record<
  string,
  (token: string) => { query?: string; headers?: Record<string, string> }
> = {
  header: (token) => ({ headers: { authorization: `Bearer ${token}` } }),
  query: (token) => ({ query: `?access_token=${encodeURIComponent(token)}` }),
  cookie: (token) => ({ headers: { cookie: `a=b; events_token=${token}` } }),
}

interface Setting {
  hasSecret: boolean
  isProduction: boolean
}

interface Asked {
  method: 'GET' | 'HEAD' | 'POST'
  topic: 'public' | 'guarded'
  token: string
  place: string
  origin: string
}

const everything: Asked[] = (['GET', 'HEAD', 'POST'] as const).flatMap((method) =>
  (['public', 'guarded'] as const).flatMap((topic) =>
    Object.keys(tokens).flatMap((token) =>
      (token === 'none' ? ['header'] : Object.keys(places)).flatMap((place) =>
        Object.keys(origins).map((origin) => ({ method, topic, token, place, origin })),
      ),
    ),
  ),
)

/** Why the server must refuse the request; undefined if it must not. */
function refusalOf({ method, topic, token, place, origin }: Asked, server: Setting) {
  const { hasSecret, isProduction } = server
  const isEverythingPublic = !hasSecret && !isProduction
  if (method !== 'POST') {
    const isPublic = topic === 'public' || isEverythingPublic
    if (!isPublic && origins[origin]?.isForeign) return 'cross-site'
    if (hasSecret) return topic === 'guarded' ? tokens[token]?.refusal : undefined
    // Nothing is public but what PUBLIC_TOPICS names, though on a laptop everything is.
    return isProduction && topic === 'guarded' ? 'secret-not-set' : undefined
  }
  if (origins[origin]?.isForeign) return 'cross-site'
  if (!hasSecret) return isProduction ? 'secret-not-set' : undefined
  // A token in an address publishes nothing.
  return tokens[place === 'query' ? 'none' : token]?.refusal
}

const statuses: Record<string, number> = {
  'token-required': 401,
  'invalid-token': 401,
  'not-granted': 403,
  'cross-site': 403,
  'secret-not-set': 403,
}

function send(url: string, { method, topic, token, place, origin }: Asked): Promise<Answer> {
  const { token: text } = tokens[token] ?? {}
  const { query = '', headers } = text === undefined ? {} : (places[place]?.(text) ?? {})
  return sendRequest(url, `/events/${topics[topic]}${query}`, {
    method,
    headers: { ...headers, ...origins[origin]?.headers(url) },
    body: method === 'POST' ? 'hello' : undefined,
  })
}

/** The parts of an answer that are compared. */
function seen(asked: Asked, { status, headers, body }: Answer): object {
  const isProblem = headers['content-type'] === 'application/problem+json'
  return {
    ...asked,
    status,
    code: isProblem && body !== '' ? (JSON.parse(body) as { code: string }).code : undefined,
    challenge: headers['www-authenticate'],
    isStream: headers['content-type']?.startsWith('text/event-stream') === true,
    sharedWith: headers['access-control-allow-origin'],
    withCookies: headers['access-control-allow-credentials'],
    varies: /\borigin\b/i.test(headers.vary ?? ''),
  }
}

function due(asked: Asked, server: Setting): object {
  const refusal = refusalOf(asked, server)
  const isAllowed = origins[asked.origin]?.isAllowed === true
  const challenges: Record<string, string> = {
    'token-required': 'Bearer',
    'invalid-token': 'Bearer error="invalid_token"',
  }
  return {
    ...asked,
    status: statuses[refusal ?? ''] ?? (asked.method === 'POST' ? 201 : 200),
    code: asked.method === 'HEAD' ? undefined : refusal,
    challenge: challenges[refusal ?? ''],
    isStream: refusal === undefined && asked.method !== 'POST',
    sharedWith: isAllowed ? allowed : undefined,
    withCookies: isAllowed ? 'true' : undefined,
    varies: true,
  }
}

async function askEverything(server: RunningServer, setting: Setting): Promise<void> {
  const left = [...everything]
  const wrong: { seen: object; due: object }[] = []
  const askAll = async (): Promise<void> => {
    for (let asked = left.pop(); asked; asked = left.pop()) {
      const got = seen(asked, await send(server.url, asked))
      const wanted = due(asked, setting)
      if (JSON.stringify(got) !== JSON.stringify(wanted)) wrong.push({ seen: got, due: wanted })
    }
  }
  await Promise.all(Array.from({ length: 8 }, askAll))

  expect(wrong.slice(0, 5)).toEqual([])
  await expect.poll(server.openStreams).toBe(0)
  expect(everything.length).toBeGreaterThan(1_000)
}

const noLimits = { LIMIT_PUBLISH: '0', LIMIT_STREAMS: '0', CORS_ORIGINS: allowed }

for (const { command, isSlow } of [
  { command: 'start', isSlow: false },
  { command: 'dev', isSlow: true },
] as const) {
  const isProduction = command === 'start'

  test(
    `next ${command} with a secret grants what tokens say, and nothing else`,
    { tag: isSlow ? '@soak-only' : [] },
    async ({ start }) => {
      const server = await start({
        command,
        env: { ...accessEnv, ...noLimits, PUBLIC_TOPICS: 'open.*' },
      })

      await askEverything(server, { hasSecret: true, isProduction })
    },
  )

  test(
    isProduction
      ? 'next start without a secret lets everybody read what is public, and nobody publish'
      : 'next dev without a secret lets everybody read and publish',
    { tag: isSlow ? '@soak-only' : [] },
    async ({ start }) => {
      const server = await start({
        command,
        env: {
          ...noLimits,
          EVENTS_JWT_SECRET: '',
          PUBLIC_TOPICS: isProduction ? 'open.*' : '',
        },
      })

      await askEverything(server, { hasSecret: false, isProduction })

      expect(server.output().match(/EVENTS_JWT_SECRET is not set/g)).toHaveLength(1)
      expect(server.output()).not.toContain('access_token')
    },
  )
}

test('next start without any setting gives no topic to anybody, and says so once', async ({
  start,
}) => {
  // A server built for production must ignore this variable.
  const server = await start({
    env: { EVENTS_JWT_SECRET: '', PUBLIC_TOPICS: '', NODE_ENV: 'development' },
  })
  const ask = (path: string, method = 'GET') => sendRequest(server.url, path, { method })

  const refused = [
    await ask('/events/news'),
    await ask('/events/news,alerts?since=all'),
    await ask('/events/news?access_token=x'),
    await ask('/events/news', 'POST'),
  ]
  const greetings = await ask('/events')

  for (const { status, body } of refused) {
    expect([status, (JSON.parse(body) as { code: string }).code]).toEqual([403, 'secret-not-set'])
  }
  expect(refused[0]?.body).toContain('PUBLIC_TOPICS')
  expect([greetings.status, greetings.body.includes('connected')]).toEqual([200, true])
  const said = server.output().match(/EVENTS_JWT_SECRET is not set: [^"]*/g)
  expect(said).toEqual([
    'EVENTS_JWT_SECRET is not set: nobody may publish over HTTP, and nobody may read a topic, because PUBLIC_TOPICS names none. With `authorize` in createSse, that decides instead.',
  ])
})
