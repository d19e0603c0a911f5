import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { emptyAnswer, jsonAnswer, type Answer } from '@/server/answer'
import { createUploadBudget } from '@/server/routes/body/upload-budget'
import { UploadAbortedError, type SseRequest } from '@/server/sse/sse-request'
import { fromNode, sendStream, sendToNode } from './node-request'

const running = new Set<() => void>()

afterEach(() => {
  for (const stop of running) stop()
  running.clear()
})

/** Unlike `once`, also when there was an error before. */
function closed(of: Socket | IncomingMessage): Promise<void> {
  return new Promise((resolve) => of.once('close', resolve))
}

type Handle = (request: IncomingMessage, response: ServerResponse) => void

async function serve(handle: Handle): Promise<number> {
  const server = createServer(handle)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  running.add(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** A client that does not close its side of the connection when the server closes the other. */
async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  running.add(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** The answer to a request without a body, as the client gets it; none when the connection was cut. */
async function ask(answer: Answer, method = 'GET', added?: [string, string][]): Promise<string> {
  const port = await serve((_, response) => sendToNode(response, answer, added))
  const socket = await open(port)
  socket.write(`${method} / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
  return await text(socket)
}

/** The values of a header of an answer. */
function valuesOf(answer: string, name: string): string[] {
  const [head = ''] = answer.split('\r\n\r\n')
  return head
    .split('\r\n')
    .map((line) => line.split(': '))
    .flatMap(([key, ...value]) => (key?.toLowerCase() === name ? [value.join(': ')] : []))
}

describe('A request', () => {
  async function received(head: string): Promise<SseRequest> {
    const got = new Promise<SseRequest>((resolve) => {
      void serve((request, response) => {
        resolve(fromNode(request))
        response.end()
      }).then(async (port) => (await open(port)).write(head))
    })
    return await got
  }

  test('has its method, its path with the query, and its headers by any case', async () => {
    const { method, url, headers } = await received(
      'POST /events/a?type=b HTTP/1.1\r\nHost: [\r\nX-One: 1\r\nX-One: 2\r\nCookie: a=1\r\nCookie: b=2\r\nContent-Length: 0\r\n\r\n',
    )

    expect(method).toBe('POST')
    expect(new URL(url)).toMatchObject({ pathname: '/events/a', search: '?type=b' })
    expect(headers.get('X-One')).toBe('1, 2')
    expect(headers.get('cookie')).toBe('a=1; b=2')
    expect(headers.get('host')).toBe('[')
    expect(headers.get('x-none')).toBeNull()
  })

  test('comes from its socket, unless a proxy says from where', async () => {
    const head = 'GET / HTTP/1.1\r\nHost: x\r\n'

    const direct = await received(`${head}\r\n`)
    const proxied = await received(`${head}X-Forwarded-For: 192.0.2.1\r\n\r\n`)

    expect(direct.headers.get('x-forwarded-for')).toBe('127.0.0.1')
    expect(proxied.headers.get('x-forwarded-for')).toBe('192.0.2.1')
  })

  test('is for the app a request without a body, with the headers that Next adds', async () => {
    const direct = await received(
      'POST /events/a?b=c HTTP/1.1\r\nHost: example.com\r\nCookie: s=1\r\nX-One: 1\r\nX-One: 2\r\nContent-Length: 2\r\n\r\nhi',
    )

    const { method, url, headers, body } = direct.toRequest()

    expect([method, body]).toEqual(['POST', null])
    expect(new URL(url)).toMatchObject({ protocol: 'http:', pathname: '/events/a', search: '?b=c' })
    expect(Object.fromEntries(headers)).toMatchObject({
      cookie: 's=1',
      host: 'example.com',
      'x-one': '1, 2',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'example.com',
      'x-forwarded-port': new URL(url).port,
      'x-forwarded-proto': 'http',
    })
  })

  test('keeps for the app what a proxy has said of it', async () => {
    const proxied = await received(
      'GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Host: example.com\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\n\r\n',
    )

    const { url, headers } = proxied.toRequest()

    expect(new URL(url).protocol).toBe('https:')
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-host': 'example.com',
      'x-forwarded-port': '443',
      'x-forwarded-proto': 'https',
    })
  })
})

describe('A body', () => {
  const budget = createUploadBudget()

  /** What reading the body of `head` and `rest` comes to; `between` runs before it is read. */
  async function read(
    head: string,
    rest: (socket: Socket) => void = () => {},
    between: (request: IncomingMessage) => Promise<unknown> = () => Promise.resolve(),
  ): Promise<unknown> {
    const share = budget.open()
    const result = new Promise((resolve) => {
      void serve(async (request, response) => {
        await between(request)
        resolve(
          fromNode(request)
            .readBody(10, share)
            .then(
              (bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString()),
              (error: unknown) => error,
            ),
        )
        response.on('error', () => {})
      }).then(async (port) => {
        const socket = await open(port)
        socket.write(head)
        rest(socket)
      })
    })
    const came = await result
    share.close()
    return came
  }

  const post = 'POST / HTTP/1.1\r\nHost: x\r\n'
  const chunked = `${post}Transfer-Encoding: chunked\r\n\r\n`

  test('comes whole, with a length, in chunks, or empty', async () => {
    expect(await read(`${post}Content-Length: 5\r\n\r\nhello`)).toBe('hello')
    expect(await read(`${chunked}2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`)).toBe('hello')
    expect(await read(`${chunked}0\r\n\r\n`)).toBe('')
    expect(await read(`${post}\r\n`)).toBe('')
  })

  test('is refused while it comes', async () => {
    expect(await read(`${post}Content-Length: 99\r\n\r\n${'x'.repeat(11)}`)).toBe('too-large')
    expect(await read(`${chunked}b\r\n${'x'.repeat(11)}\r\n`)).toBe('too-large')
  })

  test.each([
    ['its first byte', `${post}Content-Length: 5\r\n\r\n`],
    ['its end', `${post}Content-Length: 5\r\n\r\nhel`],
    ['a chunk', chunked],
    ['the end of a chunk', `${chunked}5\r\nhe`],
    ['its last chunk', `${chunked}5\r\nhello\r\n`],
  ])('is given up when the client leaves before %s', async (_, head) => {
    expect(await read(head, (socket) => setImmediate(() => socket.destroy()))).toBeInstanceOf(
      UploadAbortedError,
    )
  })

  test.each(['hel', 'hello'])(
    'of which %j came is given up when the client left before it was read',
    async (part) => {
      const error = await read(
        `${post}Content-Length: 5\r\n\r\n${part}`,
        (socket) => socket.destroy(),
        closed,
      )

      expect(error).toBeInstanceOf(UploadAbortedError)
    },
  )

  test('leaves nothing in the budget', () => {
    expect(budget.heldBytes).toBe(0)
  })
})

describe('An answer', () => {
  test('leaves whole, with its length in bytes', async () => {
    const answer = await ask(jsonAnswer(201, 'ä'))

    expect(answer).toMatch(/^HTTP\/1\.1 201 Created\r\n/)
    expect(valuesOf(answer, 'content-length')).toEqual(['4'])
    expect(answer).toMatch(/\r\n\r\n"ä"$/)
  })

  test('to HEAD, and one of status 204, has no body', async () => {
    const head = await ask(emptyAnswer(200, { 'Content-Type': 'text/event-stream' }), 'HEAD')
    const empty = await ask(emptyAnswer(204, { Allow: 'GET' }), 'OPTIONS')

    expect(head).toMatch(/\r\n\r\n$/)
    expect(empty).toMatch(/^HTTP\/1\.1 204 [^]*\r\n\r\n$/)
    expect(valuesOf(empty, 'content-length')).toEqual([])
  })

  test('yields to the headers of next.config, and joins them where there may be several', async () => {
    const own = {
      'Cache-Control': 'no-store',
      Vary: 'Origin',
      'Set-Cookie': 'a=1',
      'WWW-Authenticate': 'Bearer',
    }

    const answer = await ask(emptyAnswer(401, own), 'GET', [
      ['cache-control', 'public'],
      ['Cache-Control', 'max-age=1'],
      ['Vary', 'Accept'],
      ['Set-Cookie', 'b=2'],
      ['Set-Cookie', 'c=3'],
      ['WWW-Authenticate', 'Bearer'],
      ['X-Own', '1'],
    ])

    expect(valuesOf(answer, 'cache-control')).toEqual(['max-age=1'])
    expect(valuesOf(answer, 'vary')).toEqual(['Accept', 'Origin'])
    expect(valuesOf(answer, 'set-cookie')).toEqual(['b=2', 'c=3', 'a=1'])
    expect(valuesOf(answer, 'www-authenticate')).toEqual(['Bearer'])
    expect(valuesOf(answer, 'x-own')).toEqual(['1'])
  })

  test('to a client that has left stops its stream', async () => {
    const stop = vi.fn<() => void>()
    const stopped = new Promise<void>((resolve) => stop.mockImplementation(resolve))
    const port = await serve((_, response) => {
      response.once('close', () => sendStream(response, { send() {}, goOn() {}, stop }))
    })
    const socket = await open(port)

    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    socket.destroy()

    await stopped
  })
})

describe('An answer that closes while the body is still being sent', () => {
  const tooLarge = (): Answer => jsonAnswer(413, 'too large', { Connection: 'close' })
  const mebibyte = Buffer.alloc(1024 * 1024)

  /** Refuses every request. `over` resolves when the server's side of the first connection is closed, with what was read of it. */
  async function refuse(): Promise<{ port: number; over: Promise<{ ms: number; bytes: number }> }> {
    const startedAt = performance.now()
    let port = 0
    const over = new Promise<{ ms: number; bytes: number }>((resolve) => {
      void serve(({ socket }, response) => {
        socket.once('close', () => {
          resolve({ ms: performance.now() - startedAt, bytes: socket.bytesRead })
        })
        sendToNode(response, tooLarge())
      }).then((at) => (port = at))
    })
    await vi.waitUntil(() => port)
    return { port, over }
  }

  /** Writes so many bytes, or until the connection is closed. */
  async function flood(socket: Socket, upTo = Infinity): Promise<void> {
    let sent = 0
    const isOver = closed(socket)
    while (!socket.destroyed && sent < upTo) {
      sent += mebibyte.length
      if (socket.write(mebibyte)) continue
      const drained = new Promise((resolve) => socket.once('drain', resolve))
      await Promise.race([drained, isOver])
    }
  }

  test('is read by a client that sends all of it first', async () => {
    const { port } = await refuse()
    const socket = await open(port)
    const bytes = 8 * mebibyte.length

    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\n\r\n`)
    const answer = text(socket)
    await flood(socket, bytes)

    expect(await answer).toMatch(/^HTTP\/1\.1 413 [^]*"too large"$/)
  })

  test('ends the connection when the body does', async () => {
    const { port, over } = await refuse()
    const socket = await open(port)

    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf')
    await once(socket, 'data')
    socket.write(' done')

    expect((await over).ms).toBeLessThan(1_500)
  })

  test('is followed by so many bytes and no more', async () => {
    const { port, over } = await refuse()
    const socket = await open(port)

    socket.write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n40000000\r\n')
    await flood(socket)

    const { bytes } = await over
    expect(bytes).toBeGreaterThan(16 * mebibyte.length)
    expect(bytes).toBeLessThan(20 * mebibyte.length)
  })

  test('waits so long for a client that sends nothing, and no longer', async () => {
    const { port, over } = await refuse()
    const socket = await open(port)

    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n')

    const { ms } = await over
    expect(ms).toBeGreaterThan(1_500)
    expect(ms).toBeLessThan(6_000)
  })

  test('is read too when it had to wait for its turn', async () => {
    let answerFirst = (): void => {}
    const port = await serve((request, response) => {
      if (request.url === '/first') {
        answerFirst = () => response.end('first')
        return
      }
      sendToNode(response, tooLarge())
      answerFirst()
    })
    const socket = await open(port)
    const bytes = 8 * mebibyte.length

    socket.write('GET /first HTTP/1.1\r\nHost: x\r\n\r\n')
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\n\r\n`)
    const answer = text(socket)
    await flood(socket, bytes)

    expect(await answer).toMatch(/first[^]*HTTP\/1\.1 413 [^]*"too large"$/)
  })

  test('costs nothing more when its connection breaks before its turn', async () => {
    let connection: Socket | undefined
    const port = await serve((request, response) => {
      if (request.url === '/first') return
      connection = request.socket
      sendToNode(response, tooLarge())
    })
    const socket = await open(port)
    socket.write('GET /first HTTP/1.1\r\nHost: x\r\n\r\n')
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nhalf')
    await vi.waitUntil(() => connection)

    socket.destroy()

    await vi.waitUntil(() => connection?.destroyed)
  })
})
