/** Connections, requests and bodies as clients really send them: the same with the front door and without. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { doors, exchange, expect, test } from '../../test/fixtures/door-test'
import { readHistory } from '../../test/readers/read-history'
import { createStreamReader } from '../../test/readers/stream-reader'
import { publish, tryPublish } from '../../test/requests/publish'
import { asPublisher, signToken } from '../../test/requests/publisher'
import { headText, openConnection, requestText } from '../../test/requests/raw-connection'
import { sendRequest } from '../../test/requests/send-request'

const closing = { Connection: 'close' }

function postText(body: string, headers: Record<string, string> = {}, topic = 'news'): string {
  const length = { 'Content-Length': String(Buffer.byteLength(body)) }
  return headText('POST', `/events/${topic}`, { ...asPublisher, ...length, ...headers }) + body
}

function countOf(text: string, part: string | RegExp): number {
  return text.split(part).length - 1
}

async function dataOf(url: string, topic: string): Promise<string[]> {
  return (await readHistory(url, topic)).map(({ data }) => data)
}

for (const door of doors) {
  test.describe(`With FRONT_DOOR=${door}`, () => {
    test.use({ door })

    test('a stream over HTTP/1.0 has no chunks, and ends with the connection', async ({
      served,
    }) => {
      const connection = await openConnection(served.url)
      connection.send('GET /events/old HTTP/1.0\r\n\r\n')
      await expect.poll(connection.received).toContain('event: connected')

      await publish(served.url, 'old', 'hello')

      await expect.poll(connection.received).toMatch(/\r\n\r\n:\n[^]*\ndata: hello\n/)
      connection.destroy()
      await expect.poll(served.openStreams).toBe(0)
    })

    test('an event over HTTP/1.0 is answered whole, and the connection ends', async ({
      served,
    }) => {
      const text = postText('1').replace('HTTP/1.1', 'HTTP/1.0')

      const received = await exchange(served.url, text)

      expect(received).toMatch(/^HTTP\/1\.1 201 Created\r\n[^]*\r\n\r\n\{"ids":\["[\w.]+"\]\}$/)
    })

    test('a body is asked for when its client waits to be', async ({ served }) => {
      const connection = await openConnection(served.url)
      const headers = { ...asPublisher, 'Content-Length': '5', Expect: '100-continue' }

      connection.send(headText('POST', '/events/news', headers))
      await expect.poll(connection.received).toContain('HTTP/1.1 100 Continue')
      connection.send('hello')

      await expect.poll(connection.received).toContain('HTTP/1.1 201 Created')
      connection.destroy()
    })

    test('a body may come in chunks, byte by byte, with trailers', async ({ served }) => {
      const connection = await openConnection(served.url)
      const text =
        headText('POST', '/events/chunked', {
          ...asPublisher,
          ...closing,
          'Transfer-Encoding': 'chunked',
        }) + '2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nX-Trailer: 1\r\n\r\n'

      for (const byte of text) connection.send(byte)
      await connection.closed

      expect(connection.received()).toContain('HTTP/1.1 201 Created')
      expect(await dataOf(served.url, 'chunked')).toEqual(['hello'])
    })

    test('a body that its client gives up publishes nothing, and keeps nothing', async ({
      served,
    }) => {
      const chunked = headText('POST', '/events/given-up', {
        ...asPublisher,
        'Transfer-Encoding': 'chunked',
      })
      const whole = postText('hello', {}, 'given-up')
      const parts = [
        chunked,
        `${chunked}5`,
        `${chunked}5\r\nhe`,
        `${chunked}5\r\nhello\r\n`,
        `${chunked}5\r\nhello\r\n0\r\n`,
        whole.slice(0, -5),
        whole.slice(0, -1),
      ]

      for (const part of parts) {
        const connection = await openConnection(served.url)
        connection.send(part)
        // The server has seen this one when it has answered another.
        await sendRequest(served.url, '/health/live')
        connection.destroy()
      }
      await publish(served.url, 'given-up', 'after')

      expect(await dataOf(served.url, 'given-up')).toEqual(['after'])
    })

    test('events in one packet are kept and answered in order', async ({ served }) => {
      const bodies = Array.from({ length: 20 }, (_, n) => `event-${n}`)
      // To check a token that is new takes longer.
      const posts = bodies.map((body, n) => {
        const token = signToken({ sub: `${door} ${n}`, events: { publish: ['*'] } })
        const headers = n % 3 === 0 ? { authorization: `Bearer ${token}` } : {}
        return postText(body, { ...headers, ...(n === 19 && closing) }, 'packet')
      })

      const received = await exchange(served.url, posts.join(''))

      const ids = [...received.matchAll(/"ids":\["([\w.]+)"\]/g)].map(([, id]) => id)
      const history = await readHistory(served.url, 'packet')
      expect(history.map(({ data }) => data)).toEqual(bodies)
      expect(history.map(({ id }) => id)).toEqual(ids)
    })

    test('a stream behind an event is asked to come back, and the connection ends', async ({
      startServed,
    }) => {
      const served = await startServed()

      const received = await exchange(served.url, postText('hello') + requestText('/events/news'))

      expect(received.indexOf(' 201 ')).toBeLessThan(received.indexOf('event: reconnect'))
      expect(countOf(received, ' 201 ')).toBe(1)
      expect(received).toContain('"reason":"pipelined"')
      expect(await served.openStreams()).toBe(0)
    })

    test('what stands behind a stream leaves nothing when the connection breaks', async ({
      startServed,
    }) => {
      // Behind a body that Next has left unread, only a ping notices that its reader has gone.
      const served = await startServed({ env: { HEARTBEAT: '500ms' } })
      const connection = await openConnection(served.url)
      connection.send(requestText('/events/news'))
      await expect.poll(connection.received).toContain('event: connected')
      const refused = headText('POST', '/events/news', {
        ...asPublisher,
        'Content-Length': '1000000',
      })

      connection.send(postText('behind') + requestText('/events/news'))
      await expect.poll(connection.received).toContain('data: behind')
      await expect.poll(() => served.metric('sse_refusals_total{reason="pipelined"}')).toBe(1)
      connection.send(`${refused}${'x'.repeat(100_000)}`)
      await expect.poll(() => served.metric('sse_refusals_total{reason="event-too-large"}')).toBe(1)
      connection.destroy()

      await expect.poll(served.openStreams).toBe(0)
      expect(countOf(connection.received(), 'HTTP/1.1 ')).toBe(1)
      expect((await tryPublish(served.url, 'news', 'hello')).status).toBe(201)
    })

    test('a reader that leaves at any step leaves no stream', async ({ startServed }) => {
      const served = await startServed({ env: { LIMIT_STREAMS: '5' } })
      const text = requestText('/events/news')

      for (let at = 1; at <= text.length; at += 8) {
        const connection = await openConnection(served.url)
        connection.send(text.slice(0, at))
        connection.destroy()
      }
      for (let n = 0; n < 30; n++) {
        const connection = await openConnection(served.url)
        connection.send(text)
        for (let turn = 0; turn < n; turn++) await new Promise(setImmediate)
        connection.destroy()
      }
      for (let n = 0; n < 10; n++) {
        const { hostname, port } = new URL(served.url)
        const socket = connect({ host: hostname, port: Number(port) })
        await once(socket, 'connect')
        socket.write(text)
        socket.on('error', () => {})
        if (n % 2) await once(socket, 'data')
        socket.resetAndDestroy()
      }

      await expect.poll(served.openStreams).toBe(0)
      const readers = Array.from({ length: 5 }, () => createStreamReader())
      for (const reader of readers) void reader.connect(`${served.url}/events/news`)
      for (const reader of readers) await reader.until(({ type }) => type === 'connected')
      for (const reader of readers) reader.disconnect()
      await expect.poll(served.openStreams).toBe(0)
    })

    test('an upgrade that nobody answers ends, and opens nothing', async ({ startServed }) => {
      const served = await startServed({ env: { HEARTBEAT: '500ms', STALL: '1s' } })
      const headers = { Connection: 'Upgrade', Upgrade: 'websocket' }

      const received = await exchange(served.url, requestText('/events/news', headers))

      expect(received).not.toContain('event:')
      expect(await served.openStreams()).toBe(0)
    })

    test('a fault of ours is answered with 500, told once, and the process lives on', async ({
      startServed,
    }) => {
      const served = await startServed()
      process.kill(served.pid, 'SIGUSR2')
      await expect.poll(served.output).toContain('The fault is planted.')

      const answers = [
        await sendRequest(served.url, '/events/news'),
        await sendRequest(served.url, '/events/news', { method: 'HEAD' }),
        await tryPublish(served.url, 'news', 'hello'),
      ]

      expect(answers.map(({ status }) => status)).toEqual([500, 500, 500])
      for (const { body } of answers) expect(body).not.toContain('planted')
      await expect.poll(() => countOf(served.output(), 'TypeError: a planted fault')).toBe(3)
      if (door === 'auto') {
        expect(countOf(served.output(), '"msg":"A request failed."')).toBe(3)
      }
      expect((await sendRequest(served.url, '/health/live')).status).toBe(200)
      expect(await served.openStreams()).toBe(0)
    })

    test('told to stop, readers are asked to leave and events under way are taken', async ({
      startServed,
    }) => {
      const served = await startServed({ env: { DRAIN: '20s' } })
      const reader = createStreamReader()
      const ended = reader.connect(`${served.url}/events/news`)
      await reader.until(({ type }) => type === 'connected')
      const slow = await openConnection(served.url)
      const upgrade = await openConnection(served.url)
      slow.send(postText('half of it').slice(0, -3))
      upgrade.send(requestText('/events/news', { Connection: 'Upgrade', Upgrade: 'websocket' }))
      await sendRequest(served.url, '/health/live')

      process.kill(served.pid, 'SIGTERM')

      await ended
      expect(reader.events.at(-1)?.data).toContain('"reason":"drain"')
      const { body } = await sendRequest(served.url, '/events/news')
      expect(body).toContain('"reason":"drain"')
      slow.send(' it')
      await expect.poll(slow.received).toMatch(/^HTTP\/1\.1 201 /)
      expect(await served.exited).toBe(143)
    })
  })
}
