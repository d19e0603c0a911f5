import { once } from 'node:events'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  createServer,
  get,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { jsonAnswer, type Answer } from '@/server/answer'
import { journal } from '@/server/observe/journal'
import { routesManifest, rule, writeBuild } from '@/test/servers/write-build'
import { createFrontDoor, type FrontDoor, type OfferedRoute } from './front-door'

const running = new Set<() => void>()

beforeEach(() => {
  vi.spyOn(journal, 'info').mockImplementation(() => {})
  vi.spyOn(journal, 'error').mockImplementation(() => {})
})

afterEach(() => {
  for (const stop of running) stop()
  running.clear()
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

/** A server that has the door before its listener, which stands for Next. */
async function serve(
  door: FrontDoor,
  listener: RequestListener = (_, response) => response.end('by Next'),
): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    const toNext = (): void => listener(request, response)
    if (!door.take(server, request, response, toNext)) toNext()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  running.add(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, port: (server.address() as AddressInfo).port }
}

/** As Next does for the server that it has made itself. */
function claimForNext(port: number): void {
  vi.stubEnv('__NEXT_PRIVATE_ORIGIN', `http://localhost:${port}`)
  vi.stubEnv('PORT', String(port))
}

async function ask(
  port: number,
  path = '/events/news',
  method = 'GET',
  headers = {},
): Promise<IncomingMessage> {
  const request = get({ port, host: '127.0.0.1', path, method, headers, agent: false })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return response
}

async function textOf(port: number, path?: string, method?: string): Promise<string> {
  return await text(await ask(port, path, method))
}

/** The route of a build, and what answers for it. */
function route(
  answer: OfferedRoute['answer'] = () => Promise.resolve(jsonAnswer(200, 'by the door')),
  manifest: object = routesManifest(),
): OfferedRoute {
  const handlers = { GET: () => {}, POST: () => {} }
  writeBuild({ userland: { ...handlers }, manifests: { 'routes-manifest.json': manifest } })
  return { handlers, path: '/events', answer }
}

test('opens for a route that has proved itself, on the server where it did, and says so once', async () => {
  const door = createFrontDoor({ setting: 'on' })
  const { server, port } = await serve(door)
  const other = await serve(door)
  const offered = route()
  expect(await textOf(port)).toBe('by Next')

  door.offer(offered, server)
  door.offer(offered, server)

  expect(await textOf(port)).toBe('"by the door"')
  expect(await textOf(port, '/events/news', 'POST')).toBe('"by the door"')
  expect(await textOf(port, '/events/news', 'PUT')).toBe('by Next')
  expect(await textOf(port, '/events/news/')).toBe('by Next')
  expect(await textOf(port, '/eventsfoo/news?a=/events/news')).toBe('by Next')
  expect(await textOf(other.port)).toBe('by Next')
  expect(await text(await ask(port, undefined, 'GET', { RSC: '1' }))).toBe('by Next')
  expect(journal.info).toHaveBeenCalledExactlyOnceWith(
    'The front door is open for /events/[topics]: GET, POST.',
  )
})

test('opens on each server of a process where the route proves itself', async () => {
  const door = createFrontDoor({ setting: 'on' })
  const one = await serve(door)
  const two = await serve(door)
  const offered = route()

  door.offer(offered, one.server)
  door.offer(offered, two.server)
  one.server.close()

  expect(await textOf(two.port)).toBe('"by the door"')
})

test('opens by itself on the server of Next, and on no other', async () => {
  const door = createFrontDoor({ setting: 'auto' })
  const own = await serve(door)
  const nexts = await serve(door)
  const offered = route()
  claimForNext(nexts.port)

  door.offer(offered, own.server)
  door.offer(offered, own.server)
  door.offer(offered, nexts.server)

  expect(await textOf(own.port)).toBe('by Next')
  expect(await textOf(nexts.port)).toBe('"by the door"')
  expect(vi.mocked(journal.info).mock.calls).toEqual([
    [expect.stringContaining('is shut, and requests go through Next: a server of the app')],
    [expect.stringContaining('is open')],
  ])
})

test('leaves requests to a server that has another listener beside that of Next', async () => {
  const door = createFrontDoor({ setting: 'on' })
  const { server, port } = await serve(door)
  door.offer(route(), server)
  const listener = vi.fn<RequestListener>()

  server.on('request', listener)
  expect(await textOf(port)).toBe('by Next')
  server.off('request', listener)

  expect(listener).toHaveBeenCalledOnce()
  expect(await textOf(port)).toBe('"by the door"')
})

test('says which methods the app has wrapped, and leaves them to Next', async () => {
  const door = createFrontDoor({ setting: 'on' })
  const { server, port } = await serve(door)
  const handlers = { GET: () => {}, HEAD: () => {}, POST: () => {} }
  writeBuild({ userland: { GET: handlers.GET, POST: () => {} } })

  door.offer(
    {
      handlers,
      path: '/events',
      answer: () => Promise.resolve(jsonAnswer(200, 'by the door')),
    },
    server,
  )

  expect(journal.info).toHaveBeenCalledExactlyOnceWith(
    'The front door is open for /events/[topics]: GET. Wrapped: POST.',
  )
  expect(await textOf(port, '/events/news', 'POST')).toBe('by Next')
})

test('stays shut, and says why, where the build is not as expected', async () => {
  const door = createFrontDoor({ setting: 'on' })
  const { server, port } = await serve(door)

  door.offer(route(undefined, routesManifest({ i18n: {} })), server)

  expect(await textOf(port)).toBe('by Next')
  expect(journal.info).toHaveBeenCalledExactlyOnceWith(
    'The front door is shut, and requests go through Next: next.config has i18n.',
  )
})

test('stays shut without a word when it is off, or the server is not known', async () => {
  const off = createFrontDoor({ setting: 'off' })
  const on = createFrontDoor({ setting: 'on' })
  const { server, port } = await serve(off)

  off.offer(route(), server)
  on.offer(route(), undefined)

  expect(await textOf(port)).toBe('by Next')
  expect(journal.info).not.toHaveBeenCalled()
})

test('sends the headers of next.config', async () => {
  const door = createFrontDoor({ setting: 'on' })
  const { server, port } = await serve(door)
  const headers = [{ key: 'X-Frame-Options', value: 'DENY' }]

  door.offer(
    route(undefined, routesManifest({ headers: [rule('/:p*', '^/', { headers })] })),
    server,
  )

  expect((await ask(port)).headers['x-frame-options']).toBe('DENY')
})

test('names each request that it takes on a diagnostics channel, and no other', async () => {
  const door = createFrontDoor({ setting: 'on' })
  const { server, port } = await serve(door)
  door.offer(route(), server)
  const seen: string[] = []
  const ended: Promise<unknown>[] = []
  const onRequest = (message: unknown): void => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse }
    seen.push(`${request.method} ${request.url}`)
    ended.push(once(response, 'close').then(() => response.statusCode))
  }
  subscribe('next-sse.request', onRequest)
  onTestFinished(() => void unsubscribe('next-sse.request', onRequest))

  await textOf(port, '/events/news?type=a', 'POST')
  await textOf(port, '/elsewhere')

  expect(seen).toEqual(['POST /events/news?type=a'])
  expect(await Promise.all(ended)).toEqual([200])
})

test('answers 500 when the route throws, with one line in the journal, and lives on', async () => {
  const door = createFrontDoor({ setting: 'on' })
  const { server, port } = await serve(door)
  const fault = new Error('a fault')
  let isBroken = true
  door.offer(
    route(() => (isBroken ? Promise.reject(fault) : Promise.resolve(jsonAnswer(200, 'well')))),
    server,
  )

  const answer = await ask(port)
  expect(answer.statusCode).toBe(500)
  expect(await text(answer)).toBe('Internal Server Error')
  isBroken = false

  expect(await textOf(port)).toBe('"well"')
  expect(journal.error).toHaveBeenCalledExactlyOnceWith({ err: fault }, 'A request failed.')
})

test('answers 500 when the answer cannot be sent, without its headers', async () => {
  const door = createFrontDoor({ setting: 'on' })
  const { server, port } = await serve(door)
  const headers = [{ key: 'X-Broken', value: 'a\nb' }]
  const manifest = routesManifest({
    headers: [
      rule('/:p*', '^/', { headers: [{ key: 'Content-Length', value: '9999' }, ...headers] }),
    ],
  })
  door.offer(route(undefined, manifest), server)

  const answer = await ask(port)

  expect(answer.statusCode).toBe(500)
  expect(await text(answer)).toBe('Internal Server Error')
  expect(journal.error).toHaveBeenCalledOnce()
})

test('breaks the connection when a stream fails after its headers were sent', async () => {
  const door = createFrontDoor({ setting: 'on' })
  const { server, port } = await serve(door)
  const failing: Answer = {
    status: 200,
    headers: { 'Content-Type': 'text/event-stream' },
    body: {
      send(outlet) {
        outlet.write(Buffer.from('first'))
        throw new Error('a fault')
      },
      goOn() {},
      stop() {},
    },
  }
  door.offer(
    route(() => Promise.resolve(failing)),
    server,
  )

  await expect(textOf(port)).rejects.toThrow(/aborted|hang up/)

  expect(journal.error).toHaveBeenCalledOnce()
})

test('leaves to Next what its route can not answer, with the whole body, and tells tracers of the rest', async () => {
  const door = createFrontDoor({ setting: 'on' })
  const { server, port } = await serve(door, (request, response) => {
    void text(request).then((body) => response.end(`by Next: ${body}`))
  })
  const seen: unknown[] = []
  const onRequest = (message: unknown): void => {
    seen.push((message as { request: IncomingMessage }).request.url)
  }
  subscribe('next-sse.request', onRequest)
  onTestFinished(() => void unsubscribe('next-sse.request', onRequest))
  const answer: OfferedRoute['answer'] = async ({ url }) => {
    await Promise.resolve()
    return url.endsWith('granted') ? jsonAnswer(200, 'by the door') : undefined
  }
  door.offer({ ...route(answer), mayLeave: true }, server)
  const post = async (path: string): Promise<string> => {
    const url = `http://127.0.0.1:${port}${path}`
    return await (await fetch(url, { method: 'POST', body: 'x'.repeat(100_000) })).text()
  }

  expect(await post('/events/granted')).toBe('"by the door"')
  expect(await post('/events/other')).toBe(`by Next: ${'x'.repeat(100_000)}`)

  expect(seen).toEqual(['/events/granted'])
})

test('leaves nothing to Next once the client has left', async () => {
  const door = createFrontDoor({ setting: 'on' })
  const listener = vi.fn<RequestListener>()
  const { server, port } = await serve(door, listener)
  let decide = (): void => {}
  const asked = new Promise<void>((resolve) => {
    const answer: OfferedRoute['answer'] = () => {
      resolve()
      return new Promise((decided) => {
        decide = () => decided(undefined)
      })
    }
    door.offer({ ...route(answer), mayLeave: true }, server)
  })
  const request = get({ port, host: '127.0.0.1', path: '/events/news', agent: false })
  request.on('error', () => {})
  await asked

  request.destroy()
  await vi.waitFor(async () => {
    expect(await new Promise((resolve) => server.getConnections((_, n) => resolve(n)))).toBe(0)
  })
  decide()
  await new Promise(setImmediate)

  expect(listener).not.toHaveBeenCalled()
})

test('shuts again for a route, and says why once', async () => {
  const door = createFrontDoor({ setting: 'on' })
  const { server, port } = await serve(door)
  const offered = route()
  door.offer(offered, server)
  expect(await textOf(port)).toBe('"by the door"')

  door.shut(offered.handlers, 'it has refused too often.')
  door.shut(offered.handlers, 'it has refused too often.')

  expect(await textOf(port)).toBe('by Next')
  expect(vi.mocked(journal.info).mock.calls.slice(1)).toEqual([
    ['The front door is shut, and requests go through Next: it has refused too often.'],
  ])
})
