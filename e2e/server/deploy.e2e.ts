/** The proxies of deploy/ in front of two instances on one Redis. */
import { execFile } from 'node:child_process'
import { chmod, chown, cp, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { APIRequestContext } from 'playwright/test'
import { findServer } from '../../test/programs/find-server'
import { asPublisher } from '../../test/requests/publisher'
import type { RunningServer } from '../../test/servers/start-server'
import { startProxy, type ProxyName, type RunningProxy } from '../../test/servers/start-proxy'
import { createStreamReader, type StreamReader } from '../../test/readers/stream-reader'
import { expect, test as base } from '../../test/fixtures/redis-test'

interface Site {
  proxy: RunningProxy
  /** Sends requests without checking the proxy's certificate. */
  client: APIRequestContext
  openStreams: () => Promise<number>
  /** Stops each instance as a deploy does, and starts it again, one after the other. */
  restartBoth: () => Promise<void>
}

const test = base.extend<{ open: (name: ProxyName) => Promise<Site> }>({
  open: async ({ startOnRedis, playwright }, use, testInfo) => {
    const closing: (() => Promise<void>)[] = []
    await use(async (name) => {
      testInfo.skip(findServer(name) === undefined, `There is no ${name}.`)
      const env = { DRAIN: '500ms', RETRY: '100ms', TRUST_PROXY: '1' }
      const servers: [RunningServer, RunningServer] = [
        await startOnRedis({ env }),
        await startOnRedis({ env }),
      ]
      const proxy = await startProxy(name, [servers[0].url, servers[1].url])
      const client = await playwright.request.newContext({ ignoreHTTPSErrors: true })
      closing.push(proxy.stop, () => client.dispose())
      return {
        proxy,
        client,
        async openStreams() {
          const [one, other] = await Promise.all(servers.map((server) => server.openStreams()))
          return (one ?? 0) + (other ?? 0)
        },
        async restartBoth() {
          for (const index of [0, 1] as const) {
            const { pid, exited, url } = servers[index]
            process.kill(pid, 'SIGTERM')
            expect(await exited).toBe(143)
            servers[index] = await startOnRedis({ env, port: Number(new URL(url).port) })
          }
        },
      }
    })
    for (const close of closing) await close()
  },
})

test.use({ ignoreHTTPSErrors: true })

/** False if the event must be sent again, with the same key. */
async function isTaken({ client, proxy }: Site, data: string): Promise<boolean> {
  const headers = { ...asPublisher, 'idempotency-key': data, 'content-type': 'text/plain' }
  const response = await client
    .post(`${proxy.url}/events/news`, { headers, data })
    .catch(() => undefined)
  if (response?.status() !== 201) expect([undefined, 502, 503]).toContain(response?.status())
  return response?.status() === 201
}

function dataOf({ events }: StreamReader): string[] {
  return events.flatMap(({ type, data }) => (type === 'message' ? [data] : []))
}

/** A reader that reconnects at once, until `over` aborts. */
async function read(site: Site, reader: StreamReader, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await reader.connect(`${site.proxy.url}/events/news`).catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('As the Dockerfile runs it, by a user of no rights in a folder that is not its own, it publishes and reads', async ({
  start,
  folder,
}) => {
  const root = join(__dirname, '..', '..')
  const image = await readFile(join(root, 'Dockerfile'), 'utf8')
  expect(image).toContain('\nCMD ["node", "server.js"]\n')
  expect(image).toContain('\nUSER node\n')
  // Where the image has /app, this has .next/standalone.
  const app = join(folder, 'image')
  for (const [, from = '', to = ''] of image.matchAll(
    /^COPY --from=build \/app\/(\S+) \.\/(.*)$/gm,
  )) {
    await cp(join(root, from), join(app, '.next/standalone', to), { recursive: true })
  }
  const nobody = process.getuid?.() === 0 ? 65_534 : undefined
  const data = join(folder, 'data')
  await mkdir(data)
  if (nobody !== undefined) await chown(data, nobody, nobody)
  await promisify(execFile)('chmod', ['-R', 'a=rX', app])
  await chmod(folder, 0o755)

  const server = await start({
    command: 'standalone',
    app,
    userId: nobody,
    env: { EVENTS_URL: `file:${data}/events.db` },
  })
  const reader = createStreamReader()
  const reading = reader.connect(`${server.url}/events/news`)
  await reader.until(({ type }) => type === 'connected')
  const response = await fetch(`${server.url}/events/news`, {
    method: 'POST',
    headers: asPublisher,
    body: 'from an image',
  })
  expect(response.status).toBe(201)
  await reader.until((event) => event.data === 'from an image')
  const page = await (await fetch(server.url)).text()
  const [, script = ''] = /src="(\/_next\/static\/[^"]+\.js)"/.exec(page) ?? []
  expect((await fetch(`${server.url}${script}`)).status).toBe(200)

  process.kill(server.pid, 'SIGTERM')
  expect(await server.exited).toBe(143)
  await reading
  expect(server.output()).not.toMatch(/EACCES|EPERM|EROFS|error/i)
  await promisify(execFile)('chmod', ['-R', 'u+w', app])
})

for (const name of ['nginx', 'caddy'] as const) {
  test(`Through ${name}, a browser speaks HTTP/2 and holds 50 streams at once`, async ({
    open,
    page,
  }) => {
    const site = await open(name)
    await page.goto(`${site.proxy.url}/topics/elsewhere`)

    const protocol = await page.evaluate(() => {
      const [own] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[]
      return own?.nextHopProtocol
    })
    const received = page.evaluate(async () => {
      const sources = Array.from({ length: 50 }, () => new EventSource('/events/news'))
      const first = await Promise.all(
        sources.map(
          (source) =>
            new Promise<string>((resolve) => {
              source.addEventListener('message', ({ data }) => resolve(data as string))
            }),
        ),
      )
      for (const source of sources) source.close()
      return first
    })
    await expect.poll(site.openStreams, { timeout: 20_000 }).toBeGreaterThanOrEqual(50)
    expect(await isTaken(site, 'one-for-all')).toBe(true)

    expect(protocol).toBe('h2')
    expect(await received).toEqual(Array.from({ length: 50 }, () => 'one-for-all'))
  })

  test(`A reload of ${name} and a rolling restart of both instances lose and double nothing`, async ({
    open,
  }) => {
    const site = await open(name)
    const readers = Array.from({ length: 8 }, () => createStreamReader())
    const over = new AbortController()
    const reading = readers.map((reader) => read(site, reader, over.signal))
    await Promise.all(readers.map((reader) => reader.until(({ type }) => type === 'connected')))
    const published: string[] = []
    const last = new AbortController()
    const publishing = (async () => {
      while (!last.signal.aborted) {
        const data = `event-${published.length}`
        while (!(await isTaken(site, data))) await new Promise((r) => setTimeout(r, 20))
        published.push(data)
      }
    })()
    await expect.poll(() => published.length, { timeout: 30_000 }).toBeGreaterThan(20)

    await site.proxy.reload()
    await site.restartBoth()
    last.abort()
    await publishing

    for (const reader of readers) {
      await expect.poll(() => dataOf(reader).length, { timeout: 30_000 }).toBe(published.length)
    }
    over.abort()
    for (const reader of readers) reader.disconnect()
    await Promise.all(reading)
    for (const reader of readers) {
      expect(dataOf(reader)).toEqual(published)
      expect(reader.events.filter(({ type }) => type === 'resync')).toEqual([])
    }
  })

  test(`Through ${name}, metrics and health are hidden from outside`, async ({ open }) => {
    const { client, proxy } = await open(name)

    for (const path of ['/metrics', '/health/live', '/health/ready']) {
      expect((await client.get(`${proxy.url}${path}`)).status()).toBe(404)
    }
  })

  test(
    `Through ${name}, an idle stream outlives every timeout on the way`,
    {
      tag: '@soak-only',
    },
    async ({ open }) => {
      test.setTimeout(200_000)
      const { proxy, openStreams } = await open(name)
      const reader = createStreamReader()
      const reading = reader.connect(`${proxy.url}/events/news`)

      const pings = (): number => reader.events.filter(({ type }) => type === 'ping').length
      await expect.poll(pings, { timeout: 150_000, intervals: [1_000] }).toBe(7)

      expect(await openStreams()).toBe(1)
      expect(reader.events.filter(({ type }) => type === 'connected')).toHaveLength(1)
      reader.disconnect()
      await reading
    },
  )
}
