/** The same pages under `next dev`, where StrictMode mounts every component twice, and anyone can publish. */
import { expect, test } from '../../test/fixtures/page-test'
import { startServer, type RunningServer } from '../../test/servers/start-server'
import { createStreamReader } from '../../test/readers/stream-reader'
import { visitPages, watchViolations } from '../../test/pages/visit-pages'

// One after another: there can be one `next dev` in a folder.
test.describe.configure({ mode: 'default' })

test.use({
  // `next dev` itself warns of style sheets that it preloads and then loads by another address. Some pages are not to be found.
  toleratedComplaint: /was preloaded using link preload but not used|Failed to load resource/,
})

// `next dev` gives its server a tenth of a second to end, unless it is told otherwise.
const stallMs = 2_000
const env = {
  EVENTS_URL: 'memory:',
  NEXT_EXIT_TIMEOUT_MS: '5000',
  HEARTBEAT: '1s',
  STALL: `${stallMs}ms`,
}

let server: RunningServer

test.beforeAll(async () => {
  server = await startServer({ command: 'dev', env })
  // The first request compiles the route, which may take longer than a page waits for an answer.
  await (await fetch(`${server.url}/events`)).body?.cancel()
})

test.afterAll(async () => {
  await server.stop()
})

test('Start, Stop and Clear do what they say under next dev', async ({ page }) => {
  const requests: string[] = []
  page.on('request', (request) => {
    if (new URL(request.url()).pathname === '/events') requests.push(request.url())
  })
  const events = page.getByRole('log', { name: 'Events' }).getByRole('listitem')
  const status = page.getByRole('status').first()
  await page.goto(server.url)
  await expect(events.first()).toContainText('Hi there', { timeout: 30_000 })

  await page.getByRole('button', { name: 'Stop' }).click()
  await expect(status).toContainText('Stopped')
  await expect.poll(server.openStreams).toBe(0)

  await page.getByRole('button', { name: 'Clear' }).click()
  await expect(events).toHaveCount(0)

  await page.getByRole('button', { name: 'Start' }).click()
  await expect(status).toContainText('Ended', { timeout: 15_000 })
  await expect(events).toHaveText([/Hi there/, /How are you\?/, /I am fine/])
  expect(requests).toHaveLength(2)
})

test('The websocket by which next dev reloads a page outlasts STALL', async ({ page }) => {
  const opening = page.waitForEvent('websocket')
  await page.goto(server.url)
  const socket = await opening

  const closing = socket.waitForEvent('close', { timeout: 2 * stallMs })

  await expect(closing).rejects.toThrow('Timeout')
})

test('No page violates its policy under next dev', async ({ page }) => {
  const violations = await watchViolations(page)

  await visitPages(page, server.url)

  expect(violations).toEqual([])
})

test('next dev says once that anyone may read and publish, and nothing of the tokens it was sent', async () => {
  const published = await fetch(`${server.url}/events/news`, { method: 'POST', body: 'hello' })
  const read = await fetch(`${server.url}/events/news?access_token=sesame`)
  await read.body?.cancel()

  expect([published.status, read.status]).toEqual([201, 200])
  expect(server.output()).toContain('POST /events/news')
  expect(server.output()).not.toContain('sesame')
  expect(
    server.output().match(/anyone may publish, and anyone may read every topic/g),
  ).toHaveLength(1)
})

test('Under next dev a loop of publishes is not counted', async () => {
  const statuses: number[] = []
  for (let n = 1; n <= 70; n++) {
    statuses.push(
      (await fetch(`${server.url}/events/loop`, { method: 'POST', body: `${n}` })).status,
    )
  }

  expect(statuses).toEqual(Array<number>(70).fill(201))
})

test('Under dev, a reader is asked to leave when the process stops', async () => {
  const reader = createStreamReader()
  const ended = reader.connect(`${server.url}/events/news`)
  await reader.until(({ type }) => type === 'connected', 40_000)

  process.kill(server.pid, 'SIGTERM')

  await ended
  await server.exited
  const { type, data } = reader.events.at(-1) ?? {}
  expect(type).toBe('reconnect')
  expect(JSON.parse(data ?? '')).toMatchObject({ reason: 'drain' })
})
