import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createEvent, eventBytes, nowUs } from './payload'
import { createReaders } from './readers'

describe('the readers of the load generator', () => {
  let server: Server
  let port: number
  let respond: (response: ServerResponse) => void

  beforeEach(async () => {
    server = createServer((_, response) => respond(response)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    ;({ port } = server.address() as AddressInfo)
  })

  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })

  test('count every event once, however the pieces are cut', async () => {
    const frames = Array.from({ length: 20 }, (_, id) => `id: ${id}\ndata: ${createEvent()}\n\n`)
    const text = frames.join(': a comment\n\n')
    respond = (response) => {
      response.flushHeaders()
      void (async () => {
        for (let at = 0; at < text.length; at += 37) {
          response.write(text.slice(at, at + 37))
          await sleep(1)
        }
      })()
    }
    const readers = createReaders(port)

    const { faults } = await readers.open({ path: '/', count: 3, parallel: 3 })
    const hasAll = await readers.got(60, 10_000)

    expect(faults).toEqual([])
    expect(hasAll).toBe(true)
    await sleep(50)
    expect(readers.events()).toBe(60)
  })

  test('tell how late an event is by the time that stands in it', async () => {
    respond = (response) => {
      const event = createEvent()
      setTimeout(() => response.write(`data: ${event}\n\n`), 100)
      response.write(': connected\n\n')
    }
    const readers = createReaders(port)

    await readers.open({ path: '/', count: 1, parallel: 1 })
    await readers.got(1, 10_000)

    expect(readers.latencies.quantile(0.5)).toBeGreaterThan(98)
    expect(readers.latencies.quantile(0.5)).toBeLessThan(5_000)
  })

  test('count what many readers get at the same time for each of them, and tell equal lengths apart', async () => {
    respond = (response) => {
      response.write(': connected\n\n')
      sendAll.push((text) => response.write(text))
    }
    const sendAll: ((text: string) => void)[] = []
    const readers = createReaders(port)
    await readers.open({ path: '/', count: 5, parallel: 5 })

    for (let n = 1; n <= 30; n++) {
      const sentAt = String(nowUs() - n * 1_000_000).padStart(12, '0')
      const text = `data: ${createEvent().replace(/\d{12}/, sentAt)}\n\n`.repeat(3)
      for (const send of sendAll) send(text)
      expect(await readers.got(n * 15, 10_000)).toBe(true)
    }

    expect(readers.events()).toBe(450)
    for (const [share, seconds] of [
      [1 / 30, 1],
      [0.5, 15],
      [1, 30],
    ] as const) {
      expect(readers.latencies.quantile(share)).toBeGreaterThanOrEqual(seconds * 1_000 - 1)
      expect(readers.latencies.quantile(share)).toBeLessThan((seconds + 1) * 1_000)
    }
  })

  test('tell of a stream that is refused', async () => {
    respond = (response) => response.writeHead(503).end()
    const readers = createReaders(port)

    const { faults } = await readers.open({ path: '/', count: 1, parallel: 1 })

    expect(faults).toEqual(['Error: A stream was refused: HTTP/1.1 503 Service Unavailable'])
  })
})

test('An event is JSON of the length that it is said to have', () => {
  const event = createEvent()

  expect(event).toHaveLength(eventBytes)
  expect(JSON.parse(event)).toHaveLength(2)
})
