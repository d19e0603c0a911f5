/** What an app has in front of its topics goes on guarding them, with the front door open for the rest. */
import { expect, test } from '../../test/fixtures/installed-test'
import { createStreamReader } from '../../test/readers/stream-reader'
import { asPublisher } from '../../test/requests/publisher'
import type { RunningServer } from '../../test/servers/start-server'

/** The lines of the journal that speak of the front door. */
function doorLines(server: RunningServer): string[] {
  return server
    .output()
    .split('\n')
    .filter((line) => line.includes('front door'))
    .map((line) => (JSON.parse(line) as { msg: string }).msg)
}

async function statusOf(
  { url }: RunningServer,
  path: string,
  headers: Record<string, string> = {},
): Promise<number> {
  const response = await fetch(`${url}${path}`, {
    method: 'HEAD',
    redirect: 'manual',
    headers: { ...asPublisher, ...headers },
  })
  return response.status
}

test('A proxy, a redirect and a conditional header keep what they have, and the front door is open for the rest @soak-only', async ({
  copy,
  start,
}) => {
  const app = await copy({
    'proxy.ts': `export function proxy() { return new Response('Not for you.', { status: 403 }) }
      export const config = { matcher: '/events/secret' }`,
    'next.config.ts': `import type { NextConfig } from 'next'
      const nextConfig: NextConfig = {
        turbopack: { rules: { '*.css': { loaders: ['@tailwindcss/turbopack'], as: '*.css' } } },
        redirects: async () => [{ source: '/events/old', destination: '/events/new', permanent: true }],
        headers: async () => [
          { source: '/events/some', has: [{ type: 'header', key: 'x-asked' }], headers: [{ key: 'x-told', value: 'yes' }] },
          { source: '/:path*', headers: [{ key: 'x-always', value: 'yes' }] },
        ],
      }
      export default nextConfig`,
  })
  expect(await app.build()).toMatchObject({ code: 0 })
  const server = await start({ app: app.folder })

  // The first request of all goes through Next, and opens the door.
  for (let asked = 0; asked < 3; asked++) {
    expect(await statusOf(server, '/events/news')).toBe(200)
    expect(await statusOf(server, '/events/secret')).toBe(403)
    expect(await statusOf(server, '/events/old')).toBe(308)
    const some = await fetch(`${server.url}/events/some`, {
      method: 'HEAD',
      headers: { ...asPublisher, 'x-asked': '1' },
    })
    expect([some.headers.get('x-told'), some.headers.get('x-always')]).toEqual(['yes', 'yes'])
  }
  const always = await fetch(`${server.url}/events/news`, { method: 'HEAD', headers: asPublisher })
  expect([always.headers.get('x-told'), always.headers.get('x-always')]).toEqual([null, 'yes'])
  expect(doorLines(server)).toEqual([
    'The front door is open for /events/[topics]: GET, HEAD, POST, OPTIONS.',
  ])
})

test('A handler that wraps ours with a login is asked each time, by readers who are logged in and who are not @soak-only', async ({
  copy,
  start,
}) => {
  const app = await copy({
    'app/events/[topics]/route.ts': `import { sse } from '@/sse'
      export const { HEAD, POST, OPTIONS } = sse.topicRoute
      export async function GET(request: Request): Promise<Response> {
        if (!request.headers.get('cookie')?.includes('login=ana')) return new Response('Log in.', { status: 401 })
        return sse.topicRoute.GET(request)
      }`,
  })
  expect(await app.build()).toMatchObject({ code: 0 })
  const server = await start({ app: app.folder })
  const stream = `${server.url}/events/news`

  const reader = createStreamReader({ headers: { ...asPublisher, cookie: 'login=ana' } })
  void reader.connect(stream)
  await reader.until(({ type }) => type === 'connected')
  for (let asked = 0; asked < 3; asked++) {
    expect((await fetch(stream, { headers: asPublisher })).status).toBe(401)
    const body = `event ${asked}`
    expect((await fetch(stream, { method: 'POST', headers: asPublisher, body })).status).toBe(201)
  }

  await reader.until(({ data }) => data === 'event 2')
  expect(doorLines(server)).toEqual([
    'The front door is open for /events/[topics]: HEAD, POST, OPTIONS. Wrapped: GET.',
  ])
})
