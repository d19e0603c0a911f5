/** Bodies that are too much or too slow: the client gets its refusal, and the server is soon rid of the rest. */
import { connect, type Socket } from 'node:net'
import { doors, exchange, expect, isTaken, test } from '../../test/fixtures/door-test'
import { tryPublish } from '../../test/requests/publish'
import { asPublisher } from '../../test/requests/publisher'
import { headText, openConnection, requestText } from '../../test/requests/raw-connection'
import { openRequest, sendRequest, type Answer } from '../../test/requests/send-request'

const mebibyte = 1024 * 1024
const lines = { ...asPublisher, 'content-type': 'application/x-ndjson' }

interface Flood {
  socket: Socket
  /** What came back, once the connection is over. */
  over: Promise<{ received: string; sent: number; ms: number }>
}

/** Sends `head`, and then a body without an end for as long as the connection takes it. */
function flood(url: string, head: string, limit = Infinity): Flood {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
  const startedAt = performance.now()
  const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
  let sent = 0
  let received = ''
  const write = (): void => {
    while (sent < limit && !socket.destroyed) {
      sent += chunk.length
      if (!socket.write(chunk)) return
    }
    if (socket.readableEnded) socket.destroy()
  }
  socket.setEncoding('latin1').on('data', (text: string) => (received += text))
  socket.on('error', () => {}).on('drain', write)
  // Nothing more comes back. Without a limit, the client goes on all the same, until it is cut off.
  socket.once('end', () => {
    if (sent >= limit) socket.destroy()
  })
  socket.once('connect', () => {
    socket.write(head)
    write()
  })
  const over = new Promise<Awaited<Flood['over']>>((resolve) => {
    socket.once('close', () => resolve({ received, sent, ms: performance.now() - startedAt }))
  })
  return { socket, over }
}

const chunkedHead = headText('POST', '/events/bulk', { ...lines, 'Transfer-Encoding': 'chunked' })

test.describe('By the front door', () => {
  test('a client that goes on sending reads that its body is too large', async ({ both }) => {
    for (let n = 0; n < 5; n++) {
      const { received } = await flood(both.auto.url, chunkedHead, 12 * mebibyte).over

      expect(received).toMatch(/^HTTP\/1\.1 413 [^]*taken-by: door/i)
      expect(received).toContain('"code":"body-too-large"')
      expect(received).toMatch(/\r\nconnection: close\r\n/i)
    }
  })

  test('a client that never stops is cut off after so many bytes', async ({ both }) => {
    const { sent, ms } = await flood(both.auto.url, chunkedHead).over

    // What the limit takes, what is thrown away after, and what the sockets hold.
    expect(sent).toBeLessThan(40 * mebibyte)
    expect(ms).toBeLessThan(10_000)
  })

  test('each upload for which there is no room reads so', async ({ startServed }) => {
    const { url } = await startServed()
    const line = `"${'x'.repeat(64_000)}"\n`
    const uploads = Array.from({ length: 20 }, () =>
      openRequest(url, '/events/bulk', { method: 'POST', headers: lines, timeoutMs: 60_000 }),
    )
    const answers: Promise<Answer>[] = uploads.map(({ answer }) => answer)

    await Promise.all(
      uploads.map(async ({ request, answer }) => {
        for (let n = 0; n < 100; n++) {
          if (request.write(line)) continue
          const drained = new Promise((resolve) => request.once('drain', resolve))
          if ((await Promise.race([drained, answer])) !== undefined) break
        }
      }),
    )
    for (const { request } of uploads) request.end()
    const refused = (await Promise.all(answers)).filter(({ status }) => status === 503)

    expect(refused.length).toBeGreaterThan(5)
    for (const { headers, body } of refused) {
      expect(isTaken(headers)).toBe(true)
      expect(headers).toMatchObject({ 'retry-after': '1', connection: 'close' })
      expect(JSON.parse(body)).toMatchObject({ code: 'busy' })
    }
    expect((await tryPublish(url, 'news', 'hello')).status).toBe(201)
  })
})

for (const door of doors) {
  test.describe(`With FRONT_DOOR=${door}`, () => {
    test.use({ door })

    test('a body that stops coming is cut off after STALL, whatever Next’s own timeout', async ({
      startServed,
    }) => {
      const { url } = await startServed({
        env: { HEARTBEAT: '500ms', STALL: '1s', KEEP_ALIVE_TIMEOUT: '120000' },
      })
      const head = headText('POST', '/events/news', { ...asPublisher, 'Content-Length': '9' })
      const chunked = headText('POST', '/events/news', {
        ...asPublisher,
        'Transfer-Encoding': 'chunked',
      })

      const lasted = await Promise.all(
        [head, `${head}half`, chunked, `${chunked}5\r\nhe`, `${chunked}5\r\nhello\r\n`].map(
          async (text) => {
            const connection = await openConnection(url)
            connection.send(text)
            return await connection.closed
          },
        ),
      )

      for (const ms of lasted) {
        expect(ms).toBeGreaterThan(900)
        expect(ms).toBeLessThan(6_000)
      }
    })

    test('a slow body is taken, however long all of it takes', async ({ startServed }) => {
      const { url } = await startServed({ env: { HEARTBEAT: '500ms', STALL: '1s' } })
      const connection = await openConnection(url)
      const body = 'slow, but sure'
      const length = { 'Content-Length': String(body.length) }
      connection.send(headText('POST', '/events/news', { ...asPublisher, ...length }))

      for (const byte of body) {
        // A ping of another stream is what time passes by.
        const path = '/events/quiet'
        await exchange(url, requestText(path), (received) => received.includes('event: ping'))
        connection.send(byte)
      }

      await expect.poll(connection.received).toContain(' 201 Created')
      connection.destroy()
    })

    test('a refusal that does not read the body leaves the connection in use', async ({
      served,
    }) => {
      const body = 'x'.repeat(100_000)
      const length = { 'Content-Length': String(body.length) }
      const refused = headText('POST', '/events/-', { ...asPublisher, ...length }) + body
      const last = requestText('/health/live', { Connection: 'close' })

      const received = await exchange(served.url, refused + last)

      expect(received).toMatch(/^HTTP\/1\.1 400 [^]*"code":"invalid-topic"[^]*HTTP\/1\.1 200 OK/)
      expect((await sendRequest(served.url, '/health/live')).status).toBe(200)
    })
  })
}
