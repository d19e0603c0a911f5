/** The packed library in builds of different kinds, each with a copy of the installed app. */
import { cp, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright/test'
import { expect, test } from '../../test/fixtures/installed-test'
import { createStreamReader } from '../../test/readers/stream-reader'
import { asPublisher, publisherToken } from '../../test/requests/publisher'
import type { RunningServer } from '../../test/servers/start-server'

const next = (command: string): string[] => ['node_modules/next/dist/bin/next', command]

/** The app's configuration with these lines instead of the one that sets `cacheComponents`. */
const configOf = (lines: string): string => `import type { NextConfig } from 'next'
  const nextConfig: NextConfig = { ${lines} }
  export default nextConfig`

const css = `turbopack: { rules: { '*.css': { loaders: ['@tailwindcss/turbopack'], as: '*.css' } } }`

async function publishAt(url: string, body: string): Promise<void> {
  const response = await fetch(url, { method: 'POST', headers: asPublisher, body })
  expect(response.status).toBe(201)
}

/** Opens a page, publishes, and expects the event there. */
async function seesPublished(
  { url }: RunningServer,
  page: Page,
  { at = '/orders', stream = '/events/orders' } = {},
): Promise<void> {
  await page.context().addCookies([{ name: 'events_token', value: publisherToken, url }])
  await page.goto(`${url}${at}`)
  await expect(page.getByText('open', { exact: true })).toBeVisible()
  await publishAt(`${url}${stream}`, 'hello')
  await expect(page.getByRole('listitem')).toHaveText(['message hello'])
}

test('A client component that imports next-sse fails the build, which names its page @soak-only', async ({
  copy,
}) => {
  const page = `'use client'
    import { createSse } from 'next-sse'
    export default function Page() { return <p>{String(createSse)}</p> }`

  const { code, output } = await (await copy({ 'app/wrong/page.tsx': page })).build()

  expect(code).toBe(1)
  expect(output).toContain('server-only')
  expect(output).toContain('app/wrong/page.tsx')
})

test('An edge route that imports next-sse fails the build, which says why @soak-only', async ({
  copy,
}) => {
  const app = await copy({
    'next.config.ts': configOf(css),
    'app/edge/route.ts': `import { createSse } from 'next-sse'
      export const runtime = 'edge'
      export const GET = () => new Response(String(createSse))`,
  })

  const { code, output } = await app.build()

  expect(code).toBe(1)
  expect(output.match(/next-sse needs the Node\.js runtime/g)).toHaveLength(1)
})

for (const call of ['history', 'preload']) {
  test(`A page that calls sse.${call} in 'use cache' fails the build, which says why @soak-only`, async ({
    copy,
  }) => {
    const app = await copy({
      'app/cached/page.tsx': `import { sse } from '@/sse'
        async function read() {
          'use cache'
          return JSON.stringify(await sse.${call}(['orders'], { last: 1 }))
        }
        export default async function Page() { return <p>{await read()}</p> }`,
    })

    const { code, output } = await app.build()

    expect(code).toBe(1)
    expect(output).toContain('"use cache"')
    expect(output).toContain('/cached')
  })
}

test('With instrumentation.ts, a Redis without ioredis ends the process, which says what to install @soak-only', async ({
  copy,
}) => {
  const app = await copy({
    'instrumentation.ts': `export { register } from 'next-sse/instrumentation'`,
  })
  const built = await app.build()
  expect(built).toMatchObject({ code: 0 })
  // The journal is empty, because the build starts nothing.
  expect(built.output).not.toContain('{"level"')

  const { code, output } = await app.run(process.execPath, next('start'), {
    NODE_ENV: 'production',
    PORT: '0',
    EVENTS_URL: 'redis://127.0.0.1:1',
  })

  expect(code).toBe(1)
  expect(output).toContain(
    "next-sse can't start: EVENTS_URL names a Redis: run `npm install ioredis`",
  )
})

for (const flags of [[], ['--webpack']]) {
  test(`next dev ${flags.join(' ')} publishes and reads through an edit of the page @soak-only`, async ({
    copy,
    start,
    page,
  }) => {
    const app = await copy()
    const server = await start({ command: 'dev', app: app.folder, flags })
    await page.goto(`${server.url}/orders`)
    await expect(page.getByText('open', { exact: true })).toBeVisible({ timeout: 60_000 })
    await publishAt(`${server.url}/events/orders`, 'before')
    await expect(page.getByRole('listitem')).toHaveText(['message before'])

    const text = await app.read('app/orders/page.tsx')
    await app.write({ 'app/orders/page.tsx': text.replace('<main>', '<main><h1>Edited</h1>') })
    await expect(page.getByRole('heading', { name: 'Edited' })).toBeVisible({ timeout: 30_000 })
    await publishAt(`${server.url}/events/orders`, 'after')

    await expect(page.getByRole('listitem')).toHaveText(['message before', 'message after'])
    await app.write({ 'sse.ts': `${await app.read('sse.ts')}\n// Edited.\n` })
    await publishAt(`${server.url}/events/orders`, 'later')
    await expect(page.getByText('message later')).toBeVisible()
    await expect(page.getByRole('listitem')).toHaveCount(3)
  })
}

const served: [
  what: string,
  files: Record<string, string>,
  paths?: { at?: string; stream: string },
][] = [
  [
    "basePath: '/base', in the path of useEventSource",
    {
      'next.config.ts': configOf(`basePath: '/base', ${css}`),
      'app/orders/page.tsx': ownPage('/base/events/orders'),
    },
    { at: '/base/orders', stream: '/base/events/orders' },
  ],
  [
    'trailingSlash: true',
    { 'next.config.ts': configOf(`trailingSlash: true, ${css}`) },
    { stream: '/events/orders/' },
  ],
  ['without cacheComponents', { 'next.config.ts': configOf(css) }],
  [
    "createSse({ path: '/live' })",
    {
      'sse.ts': `import { createSse } from 'next-sse'
          export const sse = createSse({ path: '/live' })`,
      'app/live/[topics]/route.ts': `import { sse } from '@/sse'
          export const { GET, HEAD, POST, OPTIONS } = sse.topicRoute`,
      'app/orders/page.tsx': ownPage('/live/orders'),
    },
    { stream: '/live/orders' },
  ],
]

/** Reads one topic where `useTopics` does not look for it. */
function ownPage(path: string): string {
  return `'use client'
    import { useEventSource } from 'next-sse/react'
    export default function Orders() {
      const { status, events } = useEventSource('${path}')
      return <main><p>{status}</p><ol>{events.map(({ seq, type, data }) => <li key={seq}>{type} {data}</li>)}</ol></main>
    }`
}

for (const [what, files, paths] of served) {
  test(`It builds and serves ${what} @soak-only`, async ({ copy, start, page }) => {
    const app = await copy(files)
    expect(await app.build()).toMatchObject({ code: 0 })
    const server = await start({ app: app.folder })

    await seesPublished(server, page, paths)
  })
}

test('webpack builds it, and the build serves @soak-only', async ({ copy, start, page }) => {
  // Tailwind as the new app has it is for Turbopack.
  const app = await copy({ 'next.config.ts': configOf(''), 'app/globals.css': '' })
  expect(await app.build(['--webpack'])).toMatchObject({ code: 0 })
  const server = await start({ app: app.folder })

  await seesPublished(server, page)
})

for (const flags of [[], ['--webpack']]) {
  test(`output: 'standalone' runs in a folder with nothing else about ${flags.join(' ')} @soak-only`, async ({
    copy,
    start,
    page,
    folder,
  }) => {
    const app = await copy({
      'next.config.ts': configOf(`output: 'standalone', cacheComponents: true`),
      'app/globals.css': '',
    })
    expect(await app.build(flags)).toMatchObject({ code: 0 })
    const alone = join(folder, 'alone')
    await mkdir(alone)
    // As `cp -r` copies: Next links to packages by relative paths.
    const options = { recursive: true, verbatimSymlinks: true }
    await cp(join(app.folder, '.next/standalone'), join(alone, '.next/standalone'), options)
    const statics = join(alone, '.next/standalone/.next/static')
    await cp(join(app.folder, '.next/static'), statics, options)
    await rm(app.folder, { recursive: true })
    const server = await start({ command: 'standalone', app: alone })

    await seesPublished(server, page)
    const reader = createStreamReader({ headers: asPublisher })
    const reading = reader.connect(`${server.url}/events/orders?last=10`)
    await reader.until(({ data }) => data === 'hello')
    reader.disconnect()
    await reading
  })
}

test('Next 16.2 builds it, and the build serves @soak-only', async ({ copy, start, page }) => {
  const app = await copy({
    'next.config.ts': configOf('cacheComponents: true'),
    'app/globals.css': '',
  })
  const installed = await app.run('npm', ['install', '--no-audit', '--no-fund', 'next@~16.2.0'])
  expect(installed).toMatchObject({ code: 0 })
  expect(JSON.parse(await app.read('node_modules/next/package.json'))).toMatchObject({
    version: expect.stringMatching(/^16\.2\./),
  })
  expect(await app.build()).toMatchObject({ code: 0 })
  const server = await start({ app: app.folder })

  await seesPublished(server, page)
})

for (const flags of [[], ['--webpack']]) {
  test(`pnpm installs it, and what it builds serves ${flags.join(' ')} @soak-only`, async ({
    copy,
    start,
    page,
    tarball,
  }) => {
    const app = await copy({
      'next.config.ts': configOf('cacheComponents: true'),
      'app/globals.css': '',
    })
    await rm(join(app.folder, 'node_modules'), { recursive: true })
    await rm(join(app.folder, 'package-lock.json'))
    await cp(tarball, join(app.folder, 'next-sse.tgz'))
    const manifest = JSON.parse(await app.read('package.json')) as { dependencies: object }
    const dependencies = {
      ...manifest.dependencies,
      'next-sse': 'file:next-sse.tgz',
      // As docs/guide.md says: webpack bundles what it can't find from the app's own folder, and can't bundle a native file.
      ...(flags.includes('--webpack') && { libsql: '^0.5.29' }),
    }
    await app.write({ 'package.json': JSON.stringify({ ...manifest, dependencies }) })
    expect(await app.run('npx', ['--yes', 'pnpm@10', 'install'])).toMatchObject({ code: 0 })
    expect(await app.build(flags)).toMatchObject({ code: 0 })
    const server = await start({ app: app.folder })

    await seesPublished(server, page)
    const token = ['exec', 'next-sse', 'token', '--subscribe', 'orders']
    const printed = await app.run('npx', ['--yes', 'pnpm@10', ...token], {
      EVENTS_JWT_SECRET: 'of an app of your own, and long enough',
    })
    expect(printed).toMatchObject({ code: 0 })
  })
}
