/** An app that uses everything that may stand before a route: with the front door it answers as it does without. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { comparable, expect, isTaken, test } from '../../test/fixtures/door-test'
import { asPublisher } from '../../test/requests/publisher'
import { sendRequest } from '../../test/requests/send-request'
import { buildOwnApp, ownAppConfig } from '../../test/servers/own-app'
import type { RunningServer } from '../../test/servers/start-server'

const root = join(__dirname, '..', '..')
const route = `export function GET(request: Request) { return new Response('here is ' + new URL(request.url).pathname) }`

const files = {
  'next.config.js': `
    const all = (...headers) => ({ source: '/:path*', headers: headers.map(([key, value]) => ({ key, value })) })
    module.exports = {
      ${ownAppConfig},
      basePath: '/base',
      headers: async () => [
        all(
          ['Cache-Control', 'public, max-age=60'], ['X-Accel-Buffering', 'yes'], ['Vary', 'Accept-Language'],
          ['Set-Cookie', 'seen=1'], ['Set-Cookie', 'again=2'], ['X-Own', 'first'],
          ['Content-Security-Policy', "default-src https://*.a.example (b)"],
        ),
        all(['X-Own', 'second'], ['WWW-Authenticate', 'Bearer realm="other"']),
        { source: '/events/:topic(param.*)', headers: [{ key: 'X-Topic', value: 'about-:topic' }] },
        { source: '/events/mixed', has: [{ type: 'query', key: 'on' }], headers: [{ key: 'X-On', value: '1' }] },
        { source: '/events/bare', basePath: false, headers: [{ key: 'X-Bare', value: '1' }] },
        { source: '/base/events/bare', basePath: false, headers: [{ key: 'X-Bare', value: '2' }] },
      ],
      redirects: async () => [{ source: '/events/moved', destination: '/events/new', permanent: false }],
      rewrites: async () => [{ source: '/events/aka', destination: '/static' }, { source: '/live/:topic', destination: '/events/:topic' }],
    }`,
  'proxy.ts': `import { NextResponse } from 'next/server'
    export const proxy = () => new NextResponse('guarded', { status: 403 })
    export const config = { matcher: ['/events/guarded', '/events/:topic(private-.*)'] }`,
  'app/static/route.ts': route,
  'app/events/fixed/route.ts': route,
  'app/[...all]/route.ts': route,
  'app/(group)/events/[topics]/route.ts': `
    import { createSse } from 'next-sse'
    const sse = createSse()
    export const { GET, HEAD, OPTIONS } = sse.topicRoute
    export async function POST(request: Request) {
      if (request.headers.has('pass')) return await sse.topicRoute.POST(request)
      return new Response('No pass.', { status: 401 })
    }`,
}

interface Asked {
  method?: string
  headers?: Record<string, string>
  body?: string
}

/** The path, the request, and whether the door takes it. */
const requests: [path: string, isByDoor: boolean, request?: Asked][] = [
  ['/base/events/news', true],
  ['/base/events/news', true, { method: 'HEAD' }],
  ['/base/events/news', true, { method: 'OPTIONS' }],
  ['/base/events/news?lastEventId=x', true],
  ['/base/events/-', true],
  ['/base/events/news', true, { headers: { authorization: 'Bearer x.y.z' } }],
  ['/base/events/bare', true],
  ['/base/events/news', false, { method: 'POST', headers: asPublisher, body: 'hello' }],
  [
    '/base/events/news',
    false,
    { method: 'POST', headers: { ...asPublisher, pass: '1' }, body: 'hello' },
  ],
  ['/base/events/guarded', false],
  ['/base/events/guarded', false, { method: 'HEAD' }],
  ['/base/events/private-one', false],
  ['/base/events/PRIVATE-one', false],
  ['/base/events/moved', false],
  ['/base/events/aka', false],
  ['/base/live/news', false],
  ['/base/events/fixed', false],
  ['/base/events/param-one', false],
  ['/base/events/mixed', false],
  ['/base/events/mixed?on=1', false],
  ['/base/events/news/', false],
  ['/base/events/news/more', false],
  ['/base/elsewhere', false],
  ['/events/news', false],
  ['/events/bare', false],
]

for (const [bundler, ...tag] of [['turbopack'], ['webpack', '@soak-only']]) {
  test(
    `Built by ${bundler}, an app with a proxy, rules and neighbours is answered the same`,
    {
      tag,
    },
    async ({ start }) => {
      test.setTimeout(240_000)
      const app = await buildOwnApp('crowded-app', files, [`--${bundler}`])
      const env = { NODE_OPTIONS: `--require ${join(root, 'test/servers/watch-door.cjs')}` }
      const startWith = async (door: string): Promise<RunningServer> => {
        const server = await start({ command: 'start', app, env: { ...env, FRONT_DOOR: door } })
        await sendRequest(server.url, '/base/events/news', { method: 'OPTIONS' })
        return server
      }
      const [auto, off] = [await startWith('auto'), await startWith('off')]

      for (const [path, isByDoor, request = {}] of requests) {
        const what = `${request.method ?? 'GET'} ${path}`
        const ours = await sendRequest(auto.url, path, request)
        const nexts = await sendRequest(off.url, path, request)

        expect.soft(comparable(ours), what).toEqual(comparable(nexts))
        expect.soft(isTaken(ours.headers), what).toBe(isByDoor)
      }

      expect(auto.output()).toContain(
        'The front door is open for /base/events/[topics]: GET, HEAD, OPTIONS. Wrapped: POST.',
      )
      await rm(app, { recursive: true })
    },
  )
}
