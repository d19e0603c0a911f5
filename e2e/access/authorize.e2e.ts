/** An app that decides by its own session, built for production: the front door answers as Next does, and only grants. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { comparable, expect, isTaken, test } from '../../test/fixtures/door-test'
import { createStreamReader } from '../../test/readers/stream-reader'
import { sendRequest } from '../../test/requests/send-request'
import { buildOwnApp, ownAppConfig } from '../../test/servers/own-app'
import type { RunningServer } from '../../test/servers/start-server'

// One after another, in one worker: the app is built once.
test.describe.configure({ mode: 'default' })

let app: string

const files = {
  'next.config.js': `module.exports = { ${ownAppConfig} }`,
  'app/metrics/route.ts': `import { createSse } from 'next-sse'
    export const { GET } = createSse().metricsRoute`,
  'app/decide.ts': `import type { AccessAnswer } from 'next-sse'
    /** Ana may do everything with topics that begin with her name. */
    export function decide(login: string | undefined, topics: readonly string[]): AccessAnswer {
      return topics.every((topic) => topic.startsWith(login ?? '')) && { subject: login }
    }`,
  // What the request itself tells.
  'app/plain/[topics]/route.ts': `import { createSse, type AccessQuestion } from 'next-sse'
    import { decide } from '../../decide'
    const ask = ({ topics, request }: AccessQuestion) => decide(/login=(\\w+)/.exec(request.headers.get('cookie') ?? '')?.[1], topics)
    const sse = createSse({ path: '/plain', recheck: '1s', authorize: { read: ask, publish: ask } })
    export const { GET, HEAD, POST, OPTIONS } = sse.topicRoute`,
  // What only Next can tell.
  'app/scoped/[topics]/route.ts': `import { cookies } from 'next/headers'
    import { createSse, type AccessQuestion } from 'next-sse'
    import { decide } from '../../decide'
    const ask = async ({ topics }: AccessQuestion) => decide((await cookies()).get('login')?.value, topics)
    const sse = createSse({ path: '/scoped', authorize: { read: ask, publish: ask } })
    export const { GET, HEAD, POST, OPTIONS } = sse.topicRoute`,
  // What runs later, outside of a request, can't be told by Next.
  'app/recalled/[topics]/route.ts': `import { cookies } from 'next/headers'
    import { createSse, type AccessQuestion } from 'next-sse'
    import { decide } from '../../decide'
    const ask = ({ topics, request }: AccessQuestion) => decide(/login=(\\w+)/.exec(request.headers.get('cookie') ?? '')?.[1], topics)
    const revalidate = async () => (await cookies()).has('login')
    const sse = createSse({ path: '/recalled', recheck: '1s', authorize: { read: ask, publish: ask }, revalidate })
    export const { GET, HEAD, POST, OPTIONS } = sse.topicRoute`,
  'app/wrong/[topics]/route.ts': `import { createSse } from 'next-sse'
    const answers: Record<string, () => unknown> = {
      response: () => new Response(null, { status: 200 }),
      user: () => ({ id: 'ana', name: 'Ana' }),
      nothing: () => undefined,
      throws: () => { throw new Error('no database') },
      mute: () => new Promise(() => {}),
    }
    const sse = createSse({ path: '/wrong', authorize: ({ topics }) => answers[topics[0]]!() as boolean })
    export const { GET, HEAD, POST, OPTIONS } = sse.topicRoute`,
}

test.beforeAll(async () => {
  test.setTimeout(240_000)
  app = await buildOwnApp('session-app', files)
})

test.afterAll(() => rm(app, { recursive: true }))

const ana = { cookie: 'login=ana' }
const env = {
  NODE_OPTIONS: `--require ${join(__dirname, '../../test/servers/watch-door.cjs')}`,
  PUBLIC_TOPICS: 'news',
  RETRY: '100ms',
  HEARTBEAT: '500ms',
}

type Start = (options: { app: string; env: Record<string, string> }) => Promise<RunningServer>

/** Two servers that differ in one thing; the door of the first has opened for each of these routes. */
async function startBoth(start: Start, ...routes: string[]): Promise<RunningServer[]> {
  const startWith = async (door: string): Promise<RunningServer> => {
    const server = await start({ app, env: { ...env, FRONT_DOOR: door } })
    for (const route of routes)
      await sendRequest(server.url, `${route}/news`, { method: 'OPTIONS' })
    return server
  }
  return [await startWith('auto'), await startWith('off')]
}

/** The lines of the journal that hold these words. */
function linesOf(server: RunningServer, words: string): string[] {
  return server
    .output()
    .split('\n')
    .filter((line) => line.includes(words))
    .map((line) => (JSON.parse(line) as { msg: string }).msg)
}

const evil = { ...ana, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
const post = { method: 'POST', body: 'hello' }

/** Sent one after another: the request, its status, and whether the door answers it. */
const requests: [path: string, status: number, isByDoor: boolean, request?: object][] = [
  ['/plain/ana.one', 200, true, { headers: ana }],
  ['/plain/ana.one', 200, true, { headers: ana, method: 'HEAD' }],
  ['/plain/ana.one,news', 200, true, { headers: ana }],
  ['/plain/ana.one', 201, true, { headers: ana, ...post }],
  ['/plain/news', 200, true],
  // What depends on nobody's session is answered at once.
  ['/plain/ana.one?last=x', 400, true, { headers: ana }],
  ['/plain/ana.one', 403, true, { headers: evil }],
  ['/plain/ana.one', 403, true, { headers: evil, ...post }],
  // The door refuses nobody by itself.
  ['/plain/ana.one', 401, false],
  ['/plain/ana.one', 401, false, post],
  ['/plain/bob.one', 403, false, { headers: ana }],
  ['/plain/bob.one', 403, false, { headers: ana, method: 'HEAD' }],
  ['/plain/bob.one', 403, false, { headers: ana, ...post }],
  ['/wrong/response', 500, false],
  ['/wrong/user', 500, false],
  ['/wrong/nothing', 500, false],
  ['/wrong/throws', 503, false],
  // Nobody needs to be asked about what is closed.
  ['/wrong/response', 403, true, post],
]

test('The door grants what Next grants, leaves each refusal to it, and answers the same', async ({
  start,
}) => {
  const [auto, off] = await startBoth(start, '/plain', '/wrong')
  if (!auto || !off) throw new Error('There are two.')

  for (const [path, status, isByDoor, request = {}] of requests) {
    const what = `${JSON.stringify(request)} ${path}`
    const ours = await sendRequest(auto.url, path, request)
    const nexts = await sendRequest(off.url, path, request)

    expect.soft(ours.status, what).toBe(status)
    expect.soft(comparable(ours), what).toEqual(comparable(nexts))
    expect.soft(isTaken(ours.headers), what).toBe(isByDoor)
  }

  for (const server of [auto, off]) {
    // Each once, though it was asked twice where the door was open.
    expect(linesOf(server, 'nothing was granted')).toHaveLength(4)
    expect(linesOf(server, 'createSse has `authorize`').toSorted()).toEqual([
      'createSse has `authorize`: anyone may read news, `authorize` decides who may read other topics, and `authorize` decides who may publish. Tokens count only where it asks `byToken`.',
      'createSse has `authorize`: anyone may read news, `authorize` decides who may read other topics, and nobody may publish over HTTP. Tokens count only where it asks `byToken`.',
    ])
  }
})

test('An authorize that calls cookies() works, through Next, and the journal says why the door is shut', async ({
  start,
}) => {
  const [auto, off] = await startBoth(start, '/scoped')
  if (!auto || !off) throw new Error('There are two.')
  const lines = '1\n'.repeat(5_000)
  const many = { method: 'POST', headers: { ...ana, 'content-type': 'application/x-ndjson' } }

  for (const server of [auto, off]) {
    const answers = [
      await sendRequest(server.url, '/scoped/ana.one', { headers: ana }),
      await sendRequest(server.url, '/scoped/bob.one', { headers: ana }),
      await sendRequest(server.url, '/scoped/ana.one', { method: 'HEAD', headers: ana }),
      await sendRequest(server.url, '/scoped/ana.one', { ...many, body: lines }),
      await sendRequest(server.url, '/scoped/ana.one?last=1', { headers: ana }),
    ]

    expect(answers.map(({ status }) => status)).toEqual([200, 403, 200, 201, 200])
    expect((JSON.parse(answers[3]?.body ?? '') as { ids: string[] }).ids).toHaveLength(5_000)
    expect(answers.map(({ headers }) => isTaken(headers))).not.toContain(true)
    expect(linesOf(server, 'nothing was granted')).toEqual([])
  }

  const shut = linesOf(auto, 'The front door is shut')
  expect(shut).toEqual([expect.stringContaining('`authorize` granted 3 requests there')])
  expect(shut[0]).toContain('cookies')
  expect(linesOf(off, 'The front door is shut')).toEqual([])
})

for (const route of ['/plain', '/scoped']) {
  test(`Publishes count once at ${route}, answered by the door or by Next`, async ({ start }) => {
    const servers = await Promise.all(
      ['auto', 'off'].map((door) =>
        start({ app, env: { ...env, FRONT_DOOR: door, LIMIT_PUBLISH: '5' } }),
      ),
    )

    for (const { url } of servers) {
      const statuses: number[] = []
      await sendRequest(url, `${route}/news`, { method: 'OPTIONS' })
      for (const headers of [ana, {}]) {
        for (let n = 0; n < 6; n++) {
          const answer = await sendRequest(url, `${route}/ana.one`, { ...post, headers })
          statuses.push(answer.status)
        }
      }

      const five = (status: number): number[] => Array.from({ length: 5 }, () => status)
      expect(statuses).toEqual([...five(201), 429, ...five(401), 429])
    }
  })
}

/** Reads as Ana, who is asked to come back twice and goes on without a loss, and then as nobody, who is refused. */
async function expectToComeBack(server: RunningServer, path: string): Promise<void> {
  const reader = createStreamReader({ headers: ana })
  const stream = `${server.url}${path}`
  const publish = (body: string): Promise<unknown> =>
    sendRequest(server.url, path, { method: 'POST', headers: ana, body })

  // Each ends when the server asks the reader to come back.
  await reader.connect(stream)
  await publish('one')
  await reader.connect(stream)
  await publish('two')
  void reader.connect(stream)
  await reader.until(({ data }) => data === 'two')
  reader.disconnect()

  const told = reader.events.filter(({ type }) => type !== 'ping')
  expect(told.map(({ type, data }) => (type === 'message' ? data : type))).toEqual([
    'connected',
    'reconnect',
    'connected',
    'one',
    'reconnect',
    'connected',
    'two',
  ])
  expect(told[1]?.data).toContain('expired')
  await expect(createStreamReader().connect(stream)).rejects.toThrow('401')
  await expect.poll(() => server.openStreams()).toBe(0)
}

test('A reader is asked to come back, goes on without a loss, and is refused once logged out', async ({
  start,
}) => {
  for (const server of await startBoth(start, '/plain'))
    await expectToComeBack(server, '/plain/ana.one')
})

test('A revalidate that calls cookies() has its readers come back, and the journal says why, once', async ({
  start,
}) => {
  for (const server of await startBoth(start, '/recalled')) {
    await expectToComeBack(server, '/recalled/ana.one')

    const failed = server
      .output()
      .split('\n')
      .filter((line) => line.includes('`revalidate` failed'))
    expect(failed).toHaveLength(1)
    expect(JSON.parse(failed[0] ?? '')).toMatchObject({
      level: 'error',
      msg: expect.stringContaining('outside of any request'),
      err: { message: expect.stringContaining('cookies') },
    })
  }
})

test('An authorize that never answers: 503 after ten seconds at the door, and ten behind it @soak-only', async ({
  start,
}) => {
  for (const server of await startBoth(start, '/wrong')) {
    const { status, headers } = await sendRequest(server.url, '/wrong/mute', { timeoutMs: 30_000 })

    expect([status, headers['retry-after']]).toEqual([503, '5'])
    expect(linesOf(server, '`authorize` failed')).toHaveLength(1)
  }
})
