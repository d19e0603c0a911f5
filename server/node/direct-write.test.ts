import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { readAllEvents, readEvents } from '@/test/readers/read-events'
import type { ServerSentEvent } from '@/protocol/event'
import type { Feed } from '@/server/stream/feed'
import { toWeb } from '@/server/routes/web-request'
import { feedFrom, openStreams, streamResponse } from '@/test/readers/stream-of'
import type { StreamRequest, StreamSettings } from '@/server/stream/stream'
import { feedOf } from '@/server/stream/feed-of'
import { writeDirectly } from './direct-write'
import { createResponseSlots } from './response-slots'
import { watchServerRequests } from './server-requests'

const running = new Set<() => void>()

const slots = createResponseSlots()

beforeAll(() => {
  slots.begin({ isEarly: false })
  watchServerRequests({ stallMs: 60_000, trustedProxies: 1, slots, onStopped() {} })
})

/** What a route returns for a stream that is written directly. */
function directResponse(
  feed: Feed,
  { signal, expiresAt, ...settings }: StreamRequest & Partial<StreamSettings>,
): Response {
  const { answer } = openStreams(settings, slots.claimConnection)
  const { body, ...head } = answer(feed, { signal, expiresAt })
  const isDirect = typeof body === 'object' && writeDirectly(slots.current(), body, head)
  return toWeb({ ...head, body: isDirect ? undefined : body })
}

afterEach(() => {
  for (const stop of running) stop()
  running.clear()
})

/** Serves on Node's own server what `answer` gives, a body by way of web streams as Next does, and counts what goes that way. */
async function serve(
  answer: (request: IncomingMessage, signal: AbortSignal) => Response | Promise<Response>,
): Promise<{ url: string; port: number; piped: () => number }> {
  let piped = 0

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const left = new AbortController()
    response.once('close', () => left.abort())
    const { body, status, headers } = await answer(request, left.signal)
    response.statusCode = status
    response.setHeaders(headers)
    const sink = new WritableStream<Uint8Array>({
      async write(chunk) {
        piped++
        if (!response.write(chunk)) await once(response, 'drain', { signal: left.signal })
      },
      close() {
        response.end()
      },
    })
    if (body) await body.pipeTo(sink, { signal: left.signal }).catch(() => {})
    else response.end()
  }

  const server = createServer((request, response) => void respond(request, response))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  running.add(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { port, url: `http://127.0.0.1:${port}/`, piped: () => piped }
}

async function* events(count: number): AsyncGenerator<ServerSentEvent> {
  for (let n = 1; n <= count; n++) yield { id: `test.${n}`, data: `${n}` }
}

async function* oneThenSilence(closed: AbortSignal): AsyncGenerator<ServerSentEvent> {
  yield { data: 'first' }
  await new Promise((resolve) => closed.addEventListener('abort', resolve))
}

const threeInOrder = ['connected', '1', '2', '3', 'end']

async function namesAt(url: string): Promise<(string | undefined)[]> {
  const received = await readAllEvents(await fetch(url))
  return received.map(({ event, data }) => event ?? data)
}

/** A feed that always has a chunk of 64 KiB, and counts them. */
function endlessFeed(): Feed & { taken: () => number } {
  let taken = 0
  return {
    cursor: () => undefined,
    resumed: false,
    take() {
      taken++
      return new TextEncoder().encode(`data: ${taken} ${'x'.repeat(65_536)}\n\n`)
    },
    whenReady() {},
    close: () => Promise.resolve(),
    taken: () => taken,
  }
}

/** Connects, asks for a stream, and takes nothing of it. */
async function ask(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  running.add(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n')
  return socket
}

describe('A stream sent directly', () => {
  test('does not go by web streams: it is the same in order and to its end, and so are its headers', async () => {
    const plain = await serve((_, signal) => streamResponse(feedOf(events(3)), { signal }))
    const direct = await serve((_, signal) => directResponse(feedOf(events(3)), { signal }))

    expect(await namesAt(plain.url)).toEqual(threeInOrder)
    expect(await namesAt(direct.url)).toEqual(threeInOrder)
    expect(plain.piped()).toBe(5)
    expect(direct.piped()).toBe(0)
    const [one, other] = await Promise.all([fetch(plain.url), fetch(direct.url)])
    expect([...other.headers.keys()]).toEqual([...one.headers.keys()])
    expect(other.headers.get('Content-Type')).toBe('text/event-stream; charset=utf-8')
  })

  test('takes from its feed no more than a reader that takes nothing has room for, and goes on with all of it', async () => {
    const feed = endlessFeed()
    const { port } = await serve((_, signal) => directResponse(feed, { signal }))
    const socket = await ask(port)

    await vi.waitUntil(() => feed.taken() > 0)
    let before = 0
    await vi.waitUntil(
      () => {
        const isStill = feed.taken() === before
        before = feed.taken()
        return isStill
      },
      { interval: 200, timeout: 10_000 },
    )
    // Kernels keep some megabytes for the two sockets.
    expect(before).toBeLessThan(400)

    let text = ''
    socket.setEncoding('latin1')
    for await (const chunk of socket) {
      text += chunk as string
      if (text.includes(`data: ${before + 20} `)) break
    }
    const numbers = Array.from(text.matchAll(/data: (\d+) /g), ([, number]) => Number(number))
    expect(numbers).toEqual(numbers.map((_, index) => index + 1))
  })

  test('closes its feed when the reader leaves', async () => {
    const feed = feedFrom(oneThenSilence)
    const close = vi.spyOn(feed, 'close')
    const { url } = await serve((_, signal) => directResponse(feed, { signal }))
    const stream = readEvents(await fetch(url))
    await stream.next()
    await stream.next()
    expect(close).not.toHaveBeenCalled()

    await stream.return(undefined)

    await vi.waitUntil(() => close.mock.calls.length > 0)
    expect(close).toHaveBeenCalledOnce()
  })

  test('pings, and is asked to come back', async () => {
    const { url } = await serve((_, signal) =>
      directResponse(feedFrom(oneThenSilence), {
        signal,
        heartbeatMs: 50,
        expiresAt: Date.now() + 300,
      }),
    )

    const names = await namesAt(url)

    expect(names.slice(0, 3)).toEqual(['connected', 'first', 'ping'])
    expect(names.at(-1)).toBe('reconnect')
  })

  test('gives way to an error that comes up since, and closes its feed', async () => {
    const feed = feedFrom(oneThenSilence)
    const close = vi.spyOn(feed, 'close')
    const { url } = await serve((_, signal) => {
      directResponse(feed, { signal })
      return new Response(null, { status: 500 })
    })

    const response = await fetch(url)

    expect(response.status).toBe(500)
    expect(await response.text()).toBe('')
    expect(close).toHaveBeenCalledOnce()
  })

  test('whose reader left before, begins nothing', async () => {
    const begun = vi.fn<() => void>()
    async function* source(): AsyncGenerator<ServerSentEvent> {
      begun()
      yield* events(1)
    }
    let whenAnswered = (): void => {}
    const answered = new Promise<void>((resolve) => (whenAnswered = resolve))
    const { port } = await serve(async (request, signal) => {
      request.socket.destroy()
      await once(signal, 'abort')
      const answer = directResponse(feedOf(source()), { signal })
      whenAnswered()
      return answer
    })

    await ask(port)
    await answered

    expect(begun).not.toHaveBeenCalled()
  })
})

describe('Without a server of Node under it', () => {
  test('a stream is answered by its body', async () => {
    const answer = directResponse(feedOf(events(3)), { signal: new AbortController().signal })

    const received = await readAllEvents(answer)

    expect(received.map(({ event, data }) => event ?? data)).toEqual(threeInOrder)
  })
})
