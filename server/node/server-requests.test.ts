import { once } from 'node:events'
import {
  createServer,
  get,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { journal } from '@/server/observe/journal'
import { toWeb } from '@/server/routes/web-request'
import { openStreams } from '@/test/readers/stream-of'
import { mendUrl } from './mend-url'
import { createResponseSlots } from './response-slots'
import { watchServerRequests } from './server-requests'

const stallMs = 200
const slots = createResponseSlots()
const { answer: open } = openStreams({}, slots.claimConnection)
const running = new Set<() => void>()

async function serve(
  answer: RequestListener,
  prepare: (server: Server) => void = () => {},
): Promise<number> {
  const server = createServer(answer)
  prepare(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  running.add(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** A connection on which `head` has been sent. */
async function send(port: number, head: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  running.add(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(head)
  return socket
}

async function fetchText(port: number, headers: Record<string, string> = {}): Promise<string> {
  const [response] = (await once(
    get({ port, host: '127.0.0.1', agent: false, headers }),
    'response',
  )) as [IncomingMessage]
  return await text(response)
}

const upgradeHead =
  'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n'

/** Asked before anything watched requests, and answered after. */
const early: { refusal?: Promise<string>; release: () => void } = { release: () => {} }

beforeAll(async () => {
  let markArrived = (): void => {}
  const arrived = new Promise<void>((resolve) => (markArrived = resolve))
  const released = new Promise<void>((resolve) => (early.release = resolve))
  const port = await serve(async (_, response) => {
    markArrived()
    await released
    const wasEarly = slots.isFromBeforeStart()
    const feed = {
      cursor: () => undefined,
      resumed: false,
      take: () => undefined,
      whenReady() {},
      close: () => Promise.resolve(),
    }
    const { signal } = new AbortController()
    response.end(`${wasEarly} ${await toWeb(open(feed, { signal })).text()}`)
  })
  early.refusal = fetchText(port)
  await arrived
  slots.begin({ isEarly: true })
  watchServerRequests({ stallMs, trustedProxies: 0, slots, mendUrl, onStopped() {} })
})

afterEach(() => {
  for (const stop of running) stop()
  running.clear()
  vi.restoreAllMocks()
})

test('A request from before the start is known for one, and gets no stream', async () => {
  early.release()

  expect(await early.refusal).toMatch(/^true :\nevent: reconnect\n.*\ndata: .*"reason":"starting"/)
})

describe('A client whose turn it is', () => {
  test('is cut off when it does not send the rest of its body', async () => {
    const port = await serve((request, response) =>
      request.resume().on('end', () => response.end()),
    )
    const socket = await send(port, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf')

    await once(socket.resume(), 'close')
  })

  test('is cut off when it takes nothing of an answer', async () => {
    const port = await serve((_, response) => {
      const more = (): void => {
        while (response.write('x'.repeat(65_536)));
      }
      response.on('drain', more)
      more()
    })
    let isOver = false
    const socket = await send(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    socket.pause().on('close', () => (isOver = true))
    await sleep(4 * stallMs)

    socket.resume()

    await vi.waitUntil(() => isOver, { timeout: 5_000 })
  })
})

describe('A client that waits for the server', () => {
  test('gets an answer that takes longer than a client may', async () => {
    const port = await serve(async (_, response) => {
      await sleep(3 * stallMs)
      response.write('slow, ')
      await sleep(3 * stallMs)
      response.end('but sure')
    })

    expect(await fetchText(port)).toBe('slow, but sure')
  })

  test('may have sent more of its body than has been read', async () => {
    const body = 'x'.repeat(4_000_000)
    const port = await serve(async (request, response) => {
      await sleep(3 * stallMs)
      response.end(String((await text(request)).length))
    })
    const socket = await send(
      port,
      `POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`,
    )
    socket.write(body)

    expect(await text(socket)).toMatch(/\r\n4000000\r\n|4000000$/)
  })

  test('keeps a connection that is idle for as long as Node says', async () => {
    const port = await serve(
      (_, response) => response.end('first'),
      (server) => (server.keepAliveTimeout = 3 * stallMs),
    )
    const socket = await send(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(socket, 'data')
    await sleep(2 * stallMs)

    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')

    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toContain('first')
  })
})

describe('An upgrade', () => {
  test('that nobody answers ends', async () => {
    const port = await serve(
      () => {},
      (server) => server.on('upgrade', () => {}),
    )
    const socket = await send(port, upgradeHead)

    await once(socket.resume(), 'close')
  })

  test('that has been answered may be silent', async () => {
    const port = await serve(
      () => {},
      (server) =>
        server.on('upgrade', (_, socket: Socket) => {
          socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n')
          socket.on('data', (chunk) => socket.write(chunk))
        }),
    )
    const socket = await send(port, upgradeHead)
    await once(socket, 'data')
    await sleep(3 * stallMs)

    socket.write('still there')

    const [echo] = (await once(socket, 'data')) as [Buffer]
    expect(echo.toString()).toBe('still there')
  })

  test('is an ordinary request where nobody listens for upgrades', async () => {
    const port = await serve((_, response) => response.end('as ever'))

    const socket = await send(port, upgradeHead.replace('Upgrade\r\n', 'Upgrade, close\r\n'))

    expect(await text(socket)).toContain('as ever')
  })
})

describe('X-Forwarded-For', () => {
  /** How Next asks itself for the page that a server action redirects to. */
  const nexts = { 'X-Forwarded-For': '192.0.2.1', RSC: '1' }
  const forged = { 'X-Forwarded-For': '192.0.2.1' }

  test('is dropped; only that of a client is warned of, once', async () => {
    const warn = vi.spyOn(journal, 'warn').mockImplementation(() => {})
    const port = await serve((request, response) => {
      response.end(String(request.headers['x-forwarded-for']))
    })

    expect(await fetchText(port, nexts)).toBe('undefined')
    expect(await fetchText(port, { ...forged, 'X-Action-Forwarded': '1' })).toBe('undefined')
    expect(warn).not.toHaveBeenCalled()
    expect(await fetchText(port, forged)).toBe('undefined')
    expect(await fetchText(port, forged)).toBe('undefined')
    expect(warn).toHaveBeenCalledOnce()
  })
})
