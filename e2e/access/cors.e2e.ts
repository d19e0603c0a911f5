/** Pages of other origins, in a real Chromium: those that the server names read and publish, and no other learns anything. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright/test'
import { asPublisher, publisherToken, signToken } from '../../test/requests/publisher'
import { sendRequest } from '../../test/requests/send-request'
import type { RunningServer } from '../../test/servers/start-server'
import { createStreamReader } from '../../test/readers/stream-reader'
import { expect, test as base } from '../../test/fixtures/page-test'

interface TestFixtures {
  /** Two blank pages, each of an origin of its own; the first is what `CORS_ORIGINS` names. */
  origins: { allowed: string; other: string }
  /** A server where nothing is public. */
  guarded: RunningServer
}

const test = base.extend<TestFixtures>({
  // Chromium prints every refusal by itself.
  toleratedComplaint: /Failed to load resource|CORS policy|ERR_FAILED/,
  origins: async ({}, use) => {
    const servers = [1, 2].map(() =>
      createServer((_, response) => {
        response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><p>Blank')
      }).listen(0),
    )
    const [allowed = '', other = ''] = await Promise.all(
      servers.map(async (server) => {
        if (!server.listening) await once(server, 'listening')
        return `http://localhost:${(server.address() as AddressInfo).port}`
      }),
    )
    await use({ allowed, other })
    for (const server of servers) {
      server.close()
      server.closeAllConnections()
    }
  },
  guarded: async ({ origins, start }, use) => {
    await use(await start({ env: { PUBLIC_TOPICS: '', CORS_ORIGINS: origins.allowed } }))
  },
})

interface Fetched {
  status?: number
  code?: string
  replayed?: string | null
  /** The request failed, and the page learned nothing else. */
  isHidden?: true
}

/** Fetches in the page, and returns all that the page can see. Leaves a stream as soon as it is answered. */
function fetchIn(target: Page, url: string, init: RequestInit = {}): Promise<Fetched> {
  return target.evaluate(fetched, { url, init })
}

async function fetched({ url, init }: { url: string; init: RequestInit }): Promise<Fetched> {
  const leaving = new AbortController()
  try {
    const response = await fetch(url, { ...init, signal: leaving.signal })
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
    const { code } = isStream ? {} : ((await response.json()) as { code?: string })
    return {
      status: response.status,
      ...(code !== undefined && { code }),
      replayed: response.headers.get('idempotency-replayed'),
    }
  } catch {
    return { isHidden: true }
  } finally {
    leaving.abort()
  }
}

/** What an EventSource in the page comes to: `open` and its first `message`, or how it stands after its first error. */
function listenIn(target: Page, url: string, withCredentials: boolean): Promise<string> {
  return target.evaluate(
    (given) =>
      new Promise<string>((resolve) => {
        const source = new EventSource(given.url, { withCredentials: given.withCredentials })
        source.addEventListener('message', ({ data }) => {
          source.close()
          resolve(`read ${String(data)}`)
        })
        source.addEventListener('error', () => resolve(`readyState ${source.readyState}`))
      }),
    { url, withCredentials },
  )
}

const json = { 'Content-Type': 'application/json' }
const mayRead = signToken({ events: { subscribe: ['news'] } })
const mayNot = signToken({ events: { subscribe: ['other'] } })

test('A page of an origin named reads and publishes with its cookie, and is told why it may not', async ({
  page,
  origins,
  guarded,
}) => {
  const news = `${guarded.url}/events/news`
  await page.goto(origins.allowed)

  const published = await fetchIn(page, news, {
    method: 'POST',
    credentials: 'include',
    headers: { ...json, 'Idempotency-Key': 'one' },
    body: '"hello"',
  })
  const again = await fetchIn(page, news, {
    method: 'POST',
    credentials: 'include',
    headers: { ...json, 'Idempotency-Key': 'one' },
    body: '"hello"',
  })
  const heard = await listenIn(page, `${news}?since=all`, true)
  const results = {
    withoutCookie: await fetchIn(page, news, { method: 'POST', body: 'x' }),
    readWithoutCookie: await fetchIn(page, news),
    byHeader: await fetchIn(page, news, { headers: { Authorization: `Bearer ${mayRead}` } }),
    notGranted: await fetchIn(page, news, { headers: { Authorization: `Bearer ${mayNot}` } }),
    byQuery: await fetchIn(page, `${news}?access_token=${mayRead}`),
    malformed: await fetchIn(page, `${guarded.url}/events/%ff`),
    resumed: await fetchIn(page, news, {
      credentials: 'include',
      headers: { 'Last-Event-ID': 'nonsense' },
    }),
  }

  expect(published).toEqual({ status: 201, replayed: null })
  expect(again).toEqual({ status: 201, replayed: 'true' })
  expect(heard).toBe('read "hello"')
  expect(await listenIn(page, `${news}?since=all`, false)).toBe('readyState 2')
  expect(results).toMatchObject({
    withoutCookie: { status: 401, code: 'token-required' },
    readWithoutCookie: { status: 401, code: 'token-required' },
    byHeader: { status: 200 },
    notGranted: { status: 403, code: 'not-granted' },
    byQuery: { status: 200 },
    malformed: { status: 400, code: 'malformed-path' },
    resumed: { status: 400, code: 'invalid-cursor' },
  })
  await expect.poll(guarded.openStreams).toBe(0)
})

test('A page of any other origin learns nothing and publishes nothing, though its browser has the cookie', async ({
  page,
  origins,
  guarded,
}) => {
  const news = `${guarded.url}/events/news`
  await page.goto(origins.other)
  const sandboxed = await openSandbox(page, origins.allowed)

  for (const target of [page, sandboxed]) {
    const credentials = 'include'
    const results = [
      await fetchIn(target, news, { credentials }),
      await fetchIn(target, `${news}?access_token=${mayRead}`),
      await fetchIn(target, news, { headers: { Authorization: `Bearer ${publisherToken}` } }),
      await fetchIn(target, `${guarded.url}/events`),
      await fetchIn(target, news, { method: 'POST', credentials, body: 'x' }),
      await fetchIn(target, news, { method: 'POST', credentials, headers: json, body: '1' }),
      await fetchIn(target, news, { method: 'POST', credentials, mode: 'no-cors', body: 'x' }),
      await fetchIn(target, `${guarded.url}/events/%ff`),
    ]
    expect(results).toEqual(results.map(() => ({ isHidden: true })))
    expect(await listenIn(target, news, true)).toBe('readyState 2')
  }
  // A browser sends a form without asking first; the server refuses it.
  await page.goto(origins.other)
  await page.evaluate((action) => {
    const form = document.createElement('form')
    form.method = 'post'
    form.enctype = 'text/plain'
    form.action = action
    document.body.append(form)
    form.submit()
  }, news)
  await page.waitForURL(news)
  await expect(page.locator('body')).toContainText('cross-site')

  await sendRequest(guarded.url, '/events/news', {
    method: 'POST',
    headers: asPublisher,
    body: 'ours',
  })
  expect(await historyOf(guarded.url, 'ours')).toEqual(['ours'])
  await expect.poll(guarded.openStreams).toBe(0)
})

/** A page whose origin is `null`, though it was loaded from `origin`. */
async function openSandbox(page: Page, origin: string): Promise<Page> {
  const sandbox = await page.context().newPage()
  await sandbox.route(origin, (route) =>
    route.fulfill({
      contentType: 'text/html',
      headers: { 'Content-Security-Policy': 'sandbox allow-scripts' },
      body: '<!doctype html><p>Sandboxed',
    }),
  )
  await sandbox.goto(origin)
  expect(await sandbox.evaluate(() => self.origin)).toBe('null')
  return sandbox
}

/** All events of `news`, up to `last`. */
async function historyOf(url: string, last: string): Promise<string[]> {
  const reader = createStreamReader()
  const ended = reader.connect(`${url}/events/news?since=all&access_token=${publisherToken}`)
  await reader.until(({ data }) => data === last)
  reader.disconnect()
  await ended
  return reader.events.flatMap(({ type, data }) => (type === 'message' ? [data] : []))
}

test('What a browser may ask for another page is answered by OPTIONS, and may be remembered', async ({
  origins,
  guarded,
}) => {
  const ask = (origin: string, path = '/events/news') =>
    sendRequest(guarded.url, path, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,idempotency-key',
      },
    })

  const allowed = await ask(origins.allowed)
  const greetings = await ask(origins.allowed, '/events')
  const refused = await Promise.all(
    [origins.other, 'null', `${origins.allowed}0`].map((origin) => ask(origin)),
  )

  expect(allowed.status).toBe(204)
  expect(allowed.headers).toMatchObject({
    allow: 'GET, HEAD, OPTIONS, POST',
    'access-control-allow-origin': origins.allowed,
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'GET, HEAD, OPTIONS, POST',
    'access-control-allow-headers': 'Authorization, Content-Type, Idempotency-Key, Last-Event-ID',
    'access-control-max-age': '7200',
  })
  expect(greetings.headers['access-control-allow-methods']).toBe('GET, HEAD, OPTIONS')
  for (const { status, headers } of refused) {
    expect(status).toBe(204)
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    expect(headers.vary).toMatch(/\bOrigin\b/)
  }
})
