import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Feed } from '@/server/stream/feed'
import { metrics } from '@/server/observe/metrics'
import { createResponseSlots } from './response-slots'
import { watchServerRequests } from './server-requests'
import { openStreams } from '@/test/readers/stream-of'
import { toWeb } from '@/server/routes/web-request'

const slots = createResponseSlots()
const running = new Set<() => void>()

function silentFeed(): Feed & { isClosed: boolean } {
  return {
    isClosed: false,
    cursor: () => undefined,
    resumed: false,
    take: () => undefined,
    whenReady() {},
    async close() {
      this.isClosed = true
    },
  }
}

interface Held {
  answer: (body?: string) => void
}

/** Serves `/held` when told to, `/early` as `isFromBeforeStart` says, and else a stream, by way of its body as Next does. */
async function serve(): Promise<{
  port: number
  /** The requests for `/held` so far. */
  held: Held[]
  feeds: (Feed & { isClosed: boolean })[]
  /** How many streams have ended. */
  ended: () => number
}> {
  const held: Held[] = []
  const feeds: (Feed & { isClosed: boolean })[] = []
  let ended = 0
  const server: Server = createServer((request, response) => {
    if (request.url === '/held') {
      held.push({ answer: (body = 'answered') => response.end(body) })
      return
    }
    const left = new AbortController()
    response.once('close', () => left.abort())
    const feed = silentFeed()
    feeds.push(feed)
    const { signal } = left
    const { answer: streamAnswer } = openStreams({ retryMs: 100 }, slots.claimConnection)
    const answer = toWeb(streamAnswer(feed, { signal, onEnd: () => ended++ }))
    response.setHeaders(answer.headers)
    const sink = new WritableStream<Uint8Array>({
      write: (chunk) => void response.write(chunk),
      close: () => void response.end(),
    })
    void answer.body?.pipeTo(sink, { signal }).catch(() => {})
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  running.add(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { port, held, feeds, ended: () => ended }
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  running.add(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`
}

beforeAll(() => {
  expect(slots.isFromBeforeStart()).toBe(false)
  slots.begin({ isEarly: true })
  watchServerRequests({ stallMs: 60_000, trustedProxies: 1, slots, onStopped() {} })
})

afterEach(async () => {
  for (const stop of running) stop()
  running.clear()
  await vi.waitUntil(async () => (await metrics.openStreams.get()).values[0]?.value === 0)
})

describe('A stream asked for while its connection still answers another request', () => {
  test('is asked to come back when its turn comes, and the connection closes', async () => {
    const { port, held, feeds, ended } = await serve()
    const socket = await open(port)
    const received = text(socket)
    socket.write(get('/held') + get('/stream') + get('/held'))
    await vi.waitUntil(() => feeds.length === 1)
    expect(feeds[0]?.isClosed).toBe(true)
    expect(ended()).toBe(1)

    held[0]?.answer()

    const [, first, second, ...others] = (await received).split('HTTP/1.1 200 OK')
    expect(first).toContain('answered')
    expect(second).toMatch(/\r\nConnection: close\r\n/i)
    expect(second).toMatch(/event: reconnect\nretry: \d+\ndata: \{.*"reason":"pipelined"\}/)
    expect(second).not.toContain('event: connected')
    expect(others).toEqual([])
  })

  test('leaves nothing when the connection breaks before', async () => {
    const { port, feeds, ended } = await serve()
    const socket = await open(port)
    socket.write(get('/held') + get('/stream').repeat(100))
    await vi.waitUntil(() => feeds.length === 100)

    socket.destroy()

    expect(ended()).toBe(100)
    expect(feeds.every(({ isClosed }) => isClosed)).toBe(true)
  })

  test('opens when the answer before it is done by then', async () => {
    const { port, held } = await serve()
    const socket = await open(port)
    let received = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk))
    socket.write(get('/held'))
    await vi.waitUntil(() => held.length === 1)
    held[0]?.answer()
    await vi.waitUntil(() => received.includes('answered'))

    socket.write(get('/stream'))

    await vi.waitUntil(() => received.includes('event: connected'))
  })
})

test('runs code outside of every request, whatever surrounds it', async () => {
  const fresh = createResponseSlots()
  const scope = new AsyncLocalStorage<string>()
  const seen: unknown[] = []
  const server = createServer((_, response) => {
    fresh.run(response, server, () => {
      scope.run('of this request', () => {
        seen.push(scope.getStore(), fresh.current() !== undefined)
        fresh.outside(() => seen.push(scope.getStore(), fresh.current()))
        response.end()
      })
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  running.add(() => server.close())

  await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)

  expect(seen).toEqual(['of this request', true, undefined, undefined])
})
