/** Three libraries for sessions, each with the server object that docs/security.md has for it, in an app that is not ours. */
import { join } from 'node:path'
import { expect, test } from '../../test/fixtures/installed-test'
import { createStreamReader, type StreamReader } from '../../test/readers/stream-reader'
import { createCookieJar, type CookieJar } from '../../test/requests/cookie-jar'
import { freePort } from '../../test/servers/free-port'
import { sessionApp, sessionLibraries } from '../../test/servers/session-apps'
import { startServer, type RunningServer } from '../../test/servers/start-server'

// One after another, in one worker: the app is made once.
test.describe.configure({ mode: 'default', timeout: 180_000 })

interface Library {
  name: string
  /** Logs in as this user. Resolves with the topic that is theirs. */
  login: (jar: CookieJar, user: string) => Promise<string>
  /** Has the browser's cookie renewed. */
  renew: (jar: CookieJar) => Promise<unknown>
  logout: (jar: CookieJar) => Promise<unknown>
}

function post(jar: CookieJar, path: string, body: object | string): Promise<Response> {
  const isText = typeof body === 'string'
  return jar.send(path, {
    method: 'POST',
    headers: { 'content-type': isText ? 'text/plain' : 'application/json' },
    body: isText ? body : JSON.stringify(body),
  })
}

/** Next-auth takes a form, with a token that it gives before. */
async function postForm(jar: CookieJar, path: string, fields: object): Promise<Response> {
  const { csrfToken } = (await (await jar.send('/api/next-auth/csrf')).json()) as {
    csrfToken: string
  }
  const body = new URLSearchParams({ ...fields, csrfToken })
  return await jar.send(`/api/next-auth/${path}`, { method: 'POST', body })
}

const libraries: Library[] = [
  {
    name: 'iron-session',
    async login(jar, user) {
      await post(jar, '/iron-session/login', user)
      return `user.${user}`
    },
    renew: (jar) => post(jar, '/iron-session/renew', ''),
    logout: (jar) => post(jar, '/iron-session/logout', ''),
  },
  {
    name: 'better-auth',
    async login(jar, user) {
      const account = { name: user, email: `${user}@example.com`, password: 'a long password' }
      const signed = await post(jar, '/api/better-auth/sign-up/email', account)
      const { user: made } = (await signed.json()) as { user: { id: string } }
      return `user.${made.id}`
    },
    renew: (jar) => jar.send('/api/better-auth/get-session'),
    logout: (jar) => post(jar, '/api/better-auth/sign-out', {}),
  },
  {
    name: 'next-auth',
    async login(jar, user) {
      await postForm(jar, 'callback/credentials', { name: user })
      return `user.${user}`
    },
    renew: (jar) => jar.send('/api/next-auth/session'),
    logout: (jar) => postForm(jar, 'signout', {}),
  },
]

/** Every route that the tests ask. The first request to one in dev compiles it, which may take longer than a stream lasts here. */
const routes = [
  '/publish',
  '/inbox',
  '/iron-session/login',
  '/api/better-auth/get-session',
  '/api/next-auth/session',
  ...libraries.map(({ name }) => `/${name}/events/user.ana`),
]

let app: string

test.beforeAll(async ({ installed }) => {
  test.setTimeout(400_000)
  const install = ['install', '--no-audit', '--no-fund', '--loglevel=error', ...sessionLibraries]
  expect(await installed.run('npm', [...install, 'jose'])).toMatchObject({ code: 0 })
  // The examples with the AI SDK need packages of their own.
  await installed.run('rm', ['-rf', 'app/talk', 'app/api/talk'])
  await installed.write(sessionApp())
  const built = await installed.build()
  expect(built.code, built.output).toBe(0)
  app = installed.folder
})

const modes = {
  'with the front door open': { command: 'start', env: { FRONT_DOOR: 'auto' } },
  'with the front door shut': { command: 'start', env: { FRONT_DOOR: 'off' } },
  'under next dev': { command: 'dev', env: {} },
} as const

async function statusOf(url: string, { header }: { header: string }): Promise<number> {
  const response = await fetch(url, { method: 'HEAD', headers: { cookie: header } })
  return response.status
}

/** The key of the reader, as the last connection tells it. */
function readerOf({ events }: StreamReader): unknown {
  const connected = events.findLast(({ type }) => type === 'connected')
  return (JSON.parse(connected?.data ?? '{}') as { reader?: string }).reader
}

for (const [mode, { command, env }] of Object.entries(modes)) {
  test.describe(`${mode} @soak-only`, () => {
    let server: RunningServer

    test.beforeAll(async () => {
      const port = await freePort()
      const url = `http://localhost:${port}`
      const watch = join(__dirname, '../../test/servers/watch-door.cjs')
      const own = { PUBLIC_TOPICS: '', EVENTS_JWT_SECRET: '', APP_URL: url, RETRY: '100ms' }
      server = await startServer({
        app,
        command,
        port,
        env: {
          ...env,
          ...own,
          EVENTS_URL: 'memory:',
          HEARTBEAT: '500ms',
          NODE_OPTIONS: `--require ${watch}`,
        },
      })
      for (const route of routes) await fetch(`${url}${route}`, { method: 'HEAD' })
    })

    test.afterAll(() => server.stop())

    for (const { name, login, renew, logout } of libraries) {
      test(`${name}: log in, read, renew, log out`, async () => {
        const { url } = server
        const jar = createCookieJar(url)
        const publish = (topic: string, body: string): Promise<Response> =>
          fetch(`${url}/publish?topic=${topic}`, { method: 'POST', body })
        const streamOf = (topic: string): string => `${url}/${name}/events/${topic}`
        expect(await statusOf(streamOf('user.ana'), { header: '' })).toBe(401)

        const topic = await login(jar, 'ana')
        const first = jar.header
        expect(await statusOf(streamOf(topic), jar)).toBe(200)
        expect(await statusOf(streamOf('user.bob'), jar)).toBe(403)
        const reader = createStreamReader({ headers: { cookie: first } })
        const ended = reader.connect(streamOf(topic))
        await reader.until(({ type }) => type === 'connected')
        await publish(topic, 'one')
        await reader.until(({ data }) => data === '"one"')

        // Asked to come back, it does so with the cookie of then.
        await renew(jar)
        await ended
        expect(reader.events.at(-1)?.data).toContain('expired')
        await publish(topic, 'two')
        const { lastEventId } = reader
        const renewed = createStreamReader({ headers: { cookie: jar.header }, lastEventId })
        const endedAgain = renewed.connect(streamOf(topic))
        await renewed.until(({ data }) => data === '"two"')
        expect(readerOf(renewed)).toBe(readerOf(reader))

        await logout(jar)
        await endedAgain
        expect(renewed.events.at(-1)?.data).toContain('expired')
        expect(await statusOf(streamOf(topic), jar)).toBe(401)
      })
    }

    test('Asking who may read sets no cookie and renews no session', async () => {
      for (const { name, login } of libraries) {
        const jar = createCookieJar(server.url)
        const topic = await login(jar, 'bob')
        const before = jar.header

        const response = await jar.send(`/${name}/events/${topic}`, { method: 'HEAD' })

        expect([response.status, jar.header]).toEqual([200, before])
        expect(response.headers.getSetCookie()).toEqual([])
        const isByDoor = response.headers.get('taken-by') !== null
        expect([name, isByDoor]).toEqual([name, mode === 'with the front door open'])
      }
    })

    test('A page shows what its reader may see, once it has asked the session', async () => {
      const jar = createCookieJar(server.url)
      const text = async (): Promise<string> => (await jar.send('/inbox')).text()
      await fetch(`${server.url}/publish?topic=user.eve`, { method: 'POST', body: 'hello, Eve' })

      expect(await text()).toContain('Log in first.')
      await libraries[0]?.login(jar, 'eve')

      expect(await text()).toContain('hello, Eve')
    })

    test('The journal has no fault', () => {
      expect(server.output()).not.toContain('nothing was granted')
      if (mode !== 'with the front door open') return
      expect(server.output()).not.toContain('The front door is shut')
    })
  })
}
