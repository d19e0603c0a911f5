import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { readAllEvents, readEvents } from '@/e2e/support/read-events'
import type { ServerSentEvent } from '@/events/event'
import type { Feed } from '@/events/feed'
import { feedOf } from './feed-of'
import { watchServerRequests } from './server-requests'
import { streamResponse } from './stream-response'

const running = new Set<() => void>()

beforeAll(() => watchServerRequests({ stallMs: 60_000, trustedProxies: 1, directLane: true }))

afterEach(() => {
  for (const stop of running) stop()
  running.clear()
})

/** Serves on Node's own server what `answer` gives, by way of web streams as Next does, and counts what goes that way. */
async function serve(
  answer: (request: IncomingMessage, signal: AbortSignal) => Response | Promise<Response>,
  headers: Record<string, string> = {},
): Promise<{ url: string; port: number; piped: () => number }> {
  let piped = 0

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const left = new AbortController()
    response.once('close', () => left.abort())
    const { body } = await answer(request, left.signal)
    response.setHeaders(new Map(Object.entries(headers)))
    const sink = new WritableStream<Uint8Array>({
      async write(chunk) {
        piped++
        if (!response.write(chunk)) await once(response, 'drain', { signal: left.signal })
      },
      close() {
        response.end()
      },
    })
    await body?.pipeTo(sink, { signal: left.signal }).catch(() => {})
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
    cursor: undefined,
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

describe('A stream on a server of Node', () => {
  test('goes past the web streams after its first frame, in order and to its end', async () => {
    const { url, piped } = await serve((_, signal) => streamResponse(feedOf(events(3)), { signal }))

    expect(await namesAt(url)).toEqual(threeInOrder)
    expect(piped()).toBe(1)
  })

  test('takes from its feed no more than a reader that takes nothing has room for, and goes on with all of it', async () => {
    const feed = endlessFeed()
    const { port, piped } = await serve((_, signal) => streamResponse(feed, { signal }))
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
    expect(piped()).toBe(1)
  })

  test('closes its feed when the reader leaves', async () => {
    const feed = feedOf(oneThenSilence)
    const close = vi.spyOn(feed, 'close')
    const { url, piped } = await serve((_, signal) => streamResponse(feed, { signal }))
    const stream = readEvents(await fetch(url))
    await stream.next()
    await stream.next()

    await stream.return(undefined)

    await vi.waitUntil(() => close.mock.calls.length > 0)
    expect(close).toHaveBeenCalledOnce()
    expect(piped()).toBe(1)
  })

  test('pings, and is asked to come back', async () => {
    const { url, piped } = await serve((_, signal) =>
      streamResponse(feedOf(oneThenSilence), {
        signal,
        heartbeatMs: 50,
        expiresAt: Date.now() + 300,
      }),
    )

    const names = await namesAt(url)

    expect(names.slice(0, 3)).toEqual(['connected', 'first', 'ping'])
    expect(names.at(-1)).toBe('reconnect')
    expect(piped()).toBe(1)
  })

  test('goes through the web streams where its response is encoded', async () => {
    const { url, piped } = await serve(
      (_, signal) => streamResponse(feedOf(events(3)), { signal }),
      { 'Content-Encoding': 'identity' },
    )

    expect(await namesAt(url)).toEqual(threeInOrder)
    expect(piped()).toBe(5)
  })

  test('goes through the web streams where somebody changes it on the way', async () => {
    const { url, piped } = await serve((_, signal) => {
      const { body } = streamResponse(feedOf(events(3)), { signal })
      const changed = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          controller.enqueue(
            Buffer.from(Buffer.from(chunk).toString().replace('data: 2', 'data: two')),
          )
        },
      })
      return new Response(body?.pipeThrough(changed))
    })

    expect(await namesAt(url)).toEqual(['connected', '1', 'two', '3', 'end'])
    expect(piped()).toBe(5)
  })

  test('keeps its order where somebody holds frames back on the way', async () => {
    const { url } = await serve((_, signal) => {
      const { body } = streamResponse(feedOf(events(3)), { signal })
      const held: Uint8Array[] = []
      const late = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          held.push(chunk)
          const [first] = held.length > 1 ? held.splice(0, 1) : []
          if (first) controller.enqueue(first)
        },
        flush(controller) {
          for (const chunk of held) controller.enqueue(chunk)
        },
      })
      return new Response(body?.pipeThrough(late))
    })

    expect(await namesAt(url)).toEqual(threeInOrder)
  })

  test('that its own route reads is read in full', async () => {
    const { url } = await serve(async (_, signal) => {
      const text = await streamResponse(feedOf(events(3)), { signal }).text()
      return new Response(`data: ${text.split('\n\n').length - 1}\n\n`)
    })

    expect(await namesAt(url)).toEqual(['5'])
  })
})
