/** The packed library in a new app, made by following package/README.md. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright/test'
import { elsewhere } from '../../test/apps/publishing-elsewhere'
import { expect, test } from '../../test/fixtures/installed-test'
import { createStreamReader } from '../../test/readers/stream-reader'
import type { RunningServer } from '../../test/servers/start-server'

// One after another, in one worker: the app is made once.
test.describe.configure({ mode: 'default' })

const secret = { EVENTS_JWT_SECRET: 'of an app of your own, and long enough' }
const env = { ...secret, PUBLIC_TOPICS: '', DRAIN: '500ms', RETRY: '200ms' }

const talk = 'app/api/talk/route.ts'

/** The README's route with the model of the guide, which needs no network. */
function withOwnModel(route: string): string {
  return `import { model } from '@/model'\n${route.replace("model: 'openai/gpt-6-luna'", 'model')}`
}

let built: { code: number; output: string }
let app: string
/** The token that the README's command prints. */
let token: string
let asHolder: Record<string, string>

test.beforeAll(async ({ installed }) => {
  test.setTimeout(240_000)
  await installed.write(elsewhere)
  await installed.write({ [talk]: withOwnModel(await installed.read(talk)) })
  built = await installed.build()
  app = installed.folder
  const command = ['exec', '--no', '--', 'next-sse', 'token']
  const grants = ['--subscribe', 'orders', '--publish', '*', '--expires', '1h']
  token = (await installed.run('npm', [...command, ...grants], secret)).output.trim()
  asHolder = { authorization: `Bearer ${token}` }
})

async function publish({ url }: RunningServer, body: string): Promise<void> {
  const response = await fetch(`${url}/events/orders`, { method: 'POST', headers: asHolder, body })
  expect(response.status).toBe(201)
}

async function openTabs({ url }: RunningServer, page: Page): Promise<[Page, Page]> {
  await page.context().addCookies([{ name: 'events_token', value: token, url }])
  const tabs: [Page, Page] = [page, await page.context().newPage()]
  for (const tab of tabs) {
    await tab.goto(`${url}/orders`)
    await expect(tab.getByText('open', { exact: true })).toBeVisible()
  }
  return tabs
}

test('Builds, which reads no settings and opens no log', () => {
  expect(built.output).toContain('/events/[topics]')
  expect(built.code).toBe(0)
  // The journal's lines are JSON.
  expect(built.output).not.toContain('{"level"')
  expect(existsSync(join(app, '.data'))).toBe(false)
  // The build stores no answer of a route.
  for (const path of ['/health', '/metrics', '/ticks']) {
    expect(built.output).toMatch(new RegExp(`ƒ ${path}\\n`))
  }
})

test('Prints a token by npm exec', () => {
  expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
})

test('Two tabs show what is published, and go on after the server was killed, without loss or repetition', async ({
  start,
  page,
}) => {
  const first = await start({ app, env })
  const tabs = await openTabs(first, page)
  for (const body of ['one', 'two']) await publish(first, body)
  for (const tab of tabs) {
    await expect(tab.getByRole('listitem')).toHaveText(['message one', 'message two'])
  }

  await first.stop()
  const second = await start({ app, env, port: Number(new URL(first.url).port) })
  await publish(second, 'three')

  for (const tab of tabs) {
    await expect(tab.getByText('message three')).toBeVisible()
    await expect(tab.getByText('open', { exact: true })).toBeVisible()
    await expect(tab.getByRole('listitem')).toHaveText([
      'message one',
      'message two',
      'message three',
    ])
  }
})

test('The first paint has the events, for who may read them, and the page goes on', async ({
  start,
  page,
}) => {
  const server = await start({ app, env })
  await publish(server, 'one')
  const cookie = `events_token=${token}`
  const html = async (headers: Record<string, string>): Promise<string> =>
    (await (await fetch(`${server.url}/board`, { headers })).text()).replaceAll('<!-- -->', '')

  expect(await html({ cookie })).toContain('<li>message one</li>')
  expect(await html({})).toContain('<p>failed token-required</p>')
  await page.context().addCookies([{ name: 'events_token', value: token, url: server.url }])
  await page.goto(`${server.url}/board`)
  await publish(server, 'two')

  await expect(page.getByRole('listitem')).toHaveText(['message one', 'message two'])
})

test('Refuses who has no token, an image that is a stream, and a path that can not be decoded', async ({
  start,
}) => {
  const server = await start({ app, env })
  const stream = `${server.url}/events/orders`
  const image = `${server.url}/_next/image?url=/events/orders&w=64&q=75`

  const reading = await fetch(stream)
  const publishing = await fetch(stream, { method: 'POST', body: 'hello' })
  const optimised = await fetch(image, { headers: asHolder })
  const malformed = await fetch(`${server.url}/events/%ff`)

  expect([reading.status, publishing.status]).toEqual([401, 401])
  expect(optimised.status).toBe(400)
  expect(malformed.status).toBe(400)
  expect(await malformed.json()).toMatchObject({ code: 'malformed-path' })
  expect(await server.openStreams()).toBe(0)
})

test('A route of topics that is not at its path names both', async ({ start }) => {
  const server = await start({ app, env })

  const { status } = await fetch(`${server.url}/elsewhere/orders`, { headers: asHolder })

  expect(status).toBe(500)
  expect(server.output()).toContain(
    'mounted at /elsewhere, but createSse was given the path /events',
  )
})

test('SIGTERM asks a reader to come back, and ends the process in time', async ({ start }) => {
  const server = await start({ app, env })
  const reader = createStreamReader({ headers: asHolder })
  const ended = reader.connect(`${server.url}/events/orders`)
  await reader.until(({ type }) => type === 'connected')
  const stoppedAt = performance.now()

  process.kill(server.pid, 'SIGTERM')

  await ended
  expect(await server.exited).toBe(143)
  // DRAIN, and the time that Next needs.
  expect(performance.now() - stoppedAt).toBeLessThan(5_000)
  expect(reader.events.at(-1)).toMatchObject({ type: 'reconnect' })
})

test('A worker beside the server reads what others publish, and a script publishes to its readers', async ({
  start,
  installed,
  folder,
}) => {
  const server = await start({ app, env })
  const reader = createStreamReader({ headers: asHolder })
  const reading = reader.connect(`${server.url}/events/orders`)
  await reader.until(({ type }) => type === 'connected')
  await publish(server, '"before"')
  const script = `import { sse } from './sse'
    void sse.publish('orders', 'order.paid', { amount: 4200 }).finally(() => sse.close())`
  await installed.write({ 'publish.ts': script })
  // Ours is what `npx tsx` would download.
  const tsx = require.resolve('tsx/cli')
  const onSameFile = { EVENTS_URL: `file:${folder}/events.db` }

  const worker = spawn(process.execPath, [tsx, 'worker.ts'], {
    cwd: app,
    // Playwright asks for colours.
    env: { ...process.env, ...onSameFile, FORCE_COLOR: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let printed = ''
  worker.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  await expect.poll(() => printed, { timeout: 20_000 }).toContain('message before\n')
  const published = await installed.run(process.execPath, [tsx, 'publish.ts'], onSameFile)

  expect(published).toEqual({ code: 0, output: '' })
  await reader.until(({ type, data }) => type === 'order.paid' && data === '{"amount":4200}')
  await expect.poll(() => printed).toContain('order.paid { amount: 4200 }\n')
  const exited = once(worker, 'exit')
  worker.kill('SIGINT')
  expect(await exited).toEqual([0, null])
  reader.disconnect()
  await reading
})

test('A Redis without ioredis fails the requests for events alone, and the output says what to install', async ({
  start,
}) => {
  const server = await start({ app, env: { ...env, EVENTS_URL: 'redis://127.0.0.1:1' } })

  const stream = await fetch(`${server.url}/events/orders`, { headers: asHolder })
  const page = await fetch(`${server.url}/orders`)

  expect([stream.status, page.status]).toEqual([500, 200])
  expect(server.output()).toContain('EVENTS_URL names a Redis: run `npm install ioredis`')
})

test('A log that can not be opened answers 503, and the output says why once', async ({
  start,
  folder,
}) => {
  await writeFile(join(folder, 'taken'), '')
  const server = await start({ app, env: { ...env, EVENTS_URL: `file:${folder}/taken/events.db` } })

  const post = (): Promise<Response> =>
    fetch(`${server.url}/events/orders`, { method: 'POST', headers: asHolder, body: 'hello' })
  const statuses = [(await post()).status, (await post()).status]

  expect(statuses).toEqual([503, 503])
  expect(
    server.output().match(/"msg":"The event log .* can't be opened and written/g),
  ).toHaveLength(1)
})

test('Follows an import that another tab stops, each by a connection of its own, or both by one', async ({
  start,
  page,
}) => {
  const server = await start({ app, env: { ...env, PUBLIC_TOPICS: 'import' } })
  const other = await page.context().newPage()
  const tabs = [page, other]
  for (const [path, streams] of [
    ['/import', 2],
    ['/shared-import', 1],
  ] as const) {
    for (const tab of tabs) await tab.goto(`${server.url}${path}`)

    await page.getByRole('button', { name: 'Import' }).click()
    for (const tab of tabs) await expect(tab.getByText(/^running\s+\d+ of 100$/)).toBeVisible()
    await other.getByRole('button', { name: 'Stop' }).click()

    for (const tab of tabs) await expect(tab.getByText(/^stopped .*\d+ of 100$/)).toBeVisible()
    await expect.poll(server.openStreams).toBe(streams)
  }
})

test('Answers a chat across a reload, with stored messages and without, and in another tab by the same connection', async ({
  start,
  page,
}) => {
  const server = await start({ app, env: { ...env, PUBLIC_TOPICS: 'chat.*' } })
  const other = await page.context().newPage()
  await other.goto(`${server.url}/chat/one`)
  for (const path of ['/talk', '/chat/one']) {
    await page.goto(`${server.url}${path}`)
    await page.getByRole('button', { name: 'Ask' }).click()
    await expect(page.getByText('This answer is written')).toBeVisible()

    await page.reload()

    await expect(page.getByText('comes from no model at all.')).toBeVisible()
    await expect(page.getByText('ready', { exact: true })).toBeVisible()
  }
  await expect(other.getByText('comes from no model at all.')).toBeVisible()
  await expect.poll(server.openStreams).toBe(1)
  await page.reload()
  await expect(page.getByRole('listitem')).toHaveText([
    'Hello?',
    /^This answer .* comes from no model at all\.\s*$/,
  ])
})

test('The stock of the guide: a server action publishes, pages show it, and what does not fit is refused', async ({
  start,
  page,
}) => {
  const server = await start({ app, env: { ...env, PUBLIC_TOPICS: 'stock,customer.*' } })
  await page.goto(`${server.url}/stock`)

  await page.getByRole('button', { name: 'Sell' }).click()
  await expect(page.getByRole('listitem')).toHaveText(['1 × chair'])
  const post = (rest: string, data: unknown): Promise<Response> =>
    fetch(`${server.url}/live/${rest}`, {
      method: 'POST',
      headers: asHolder,
      body: JSON.stringify(data),
    })
  const refused = await post('stock?type=sold', { sku: 'table', count: 'two' })
  const [unknownType, unknownTopic] = await Promise.all([
    post('stock?type=selled', {}),
    post('stocks?type=sold', {}),
  ])
  const reading = await fetch(`${server.url}/live/stocks`)
  expect((await post('stock?type=sold', { sku: 'table', count: 2 })).status).toBe(201)
  expect((await post('customer.42?type=greeted', { by: 'Ana' })).status).toBe(201)

  await expect(page.getByRole('listitem')).toHaveText([
    '1 × chair',
    '2 × table',
    'customer.42 greeted by Ana',
  ])
  expect(refused.status).toBe(422)
  expect(await refused.json()).toMatchObject({
    code: 'invalid-data',
    issues: [{ path: ['count'], message: 'Invalid input: expected number, received string' }],
  })
  expect([unknownType.status, unknownTopic.status, reading.status]).toEqual([422, 404, 404])
  await page.reload()
  await expect(page.getByText('Sold before: 3')).toBeVisible()
})

test('A server component that publishes while it renders is refused; a route is not', async ({
  start,
  page,
}) => {
  const server = await start({ app, env })

  await page.goto(`${server.url}/rendering`)
  const answer = await fetch(`${server.url}/answering`)

  await expect(page.getByText('publish-in-render')).toBeVisible()
  expect(await answer.text()).toBe('published')
})

test('A renamed field breaks the publisher, the server component and the hook: the compiler names each', async ({
  copy,
}) => {
  const renamed = await copy({ 'tsconfig.json': await installedTsconfig() })
  const compile = async (): Promise<string> => {
    const tsc = join('node_modules', 'typescript', 'bin', 'tsc')
    return (await renamed.run(process.execPath, [tsc, '--noEmit', '--pretty', 'false'])).output
  }
  expect(await compile()).toBe('')

  const topics = await renamed.read('topics.ts')
  await renamed.write({ 'topics.ts': topics.replace('count: z.int()', 'quantity: z.int()') })
  const output = await compile()

  console.log(output)
  expect(output.match(/^\S+\(\d+/gm)).toEqual([
    'app/stock/actions.ts(6',
    'app/stock/page.tsx(24',
    'app/stock/sales.tsx(14',
  ])
  expect(output).toContain("'count' does not exist in type '{ sku: string; quantity: number; }'")
  expect(output.match(/Property 'count' does not exist on type/g)).toHaveLength(2)

  /** That of the built app: Next completes it. */
  async function installedTsconfig(): Promise<string> {
    return await readFile(join(app, 'tsconfig.json'), 'utf8')
  }
})

test('A script publishes and reads without React and Next', async ({ copy }) => {
  const script = `import { sse } from './sse'
async function main(): Promise<void> {
  await sse.publish('orders', 'order.paid', { amount: 4200 })
  const { events } = await sse.history('orders')
  console.log(events.map(({ data }) => data).join())
}
void main().finally(() => sse.close())`
  const { folder, run } = await copy({ 'script.ts': script })
  for (const name of ['react', 'react-dom', 'next']) {
    await rm(join(folder, 'node_modules', name), { recursive: true })
  }

  const ran = await run(process.execPath, [require.resolve('tsx/cli'), 'script.ts'], {
    EVENTS_URL: 'memory:',
  })

  expect(ran).toEqual({ code: 0, output: '{"amount":4200}\n' })
})
