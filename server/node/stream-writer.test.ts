import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createWriter } from './stream-writer'

const running = new Set<() => void>()

afterEach(() => {
  for (const stop of running) stop()
  running.clear()
})

/** Gives every request to `answer`. */
async function serve(answer: (response: ServerResponse) => void): Promise<number> {
  const server = createServer((_, response) => answer(response))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  running.add(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** All that comes after the headers, as it was sent. */
async function rawBodyOf(port: number, version = '1.1'): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(`GET / HTTP/${version}\r\nHost: x\r\nConnection: close\r\n\r\n`)
  const [, body = ''] = (await text(socket)).split(/\r\n\r\n([^]*)/)
  return body
}

const chunks = ['first', 'é, in two bytes', 'x'.repeat(70_000), 'last'].map((each) =>
  Buffer.from(each),
)

function sendAll(response: ServerResponse): void {
  const write = createWriter(response, () => {})
  for (const chunk of chunks) write(chunk)
  response.end()
}

describe('a stream writer', () => {
  test('sends each chunk as a chunk of HTTP, the same for every reader', async () => {
    const port = await serve(sendAll)

    const expected = `${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk.toString()}\r\n`).join('')}0\r\n\r\n`
    for (let reader = 0; reader < 3; reader++) expect(await rawBodyOf(port)).toBe(expected)
  })

  test('sends the bare chunks to a reader of HTTP/1.0', async () => {
    const port = await serve(sendAll)

    expect(await rawBodyOf(port, '1.0')).toBe(Buffer.concat(chunks).toString())
  })

  test('says when there is no room, and goes on when there is', async () => {
    let sent = 0
    const goOn = vi.fn<() => void>()
    const port = await serve((response) => {
      const chunk = Buffer.alloc(32_768, 'x')
      const write = createWriter(response, () => {
        goOn()
        fill()
      })
      const fill = (): void => {
        while (sent < 1_000 && write(chunk)) sent++
        if (sent === 1_000) response.end()
      }
      fill()
    })
    const socket = connect(port, '127.0.0.1')
    running.add(() => socket.destroy())
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    await vi.waitUntil(() => sent > 0)
    expect(sent).toBeLessThan(1_000)

    let received = 0
    for await (const chunk of socket) received += (chunk as Buffer).length

    expect(goOn).toHaveBeenCalled()
    expect(received).toBeGreaterThan(1_000 * 32_768)
  })

  test('writes nothing to a reader that has left', async () => {
    const left = new Promise<boolean>((resolve) => {
      void serve((response) => {
        const write = createWriter(response, () => {})
        write(Buffer.from('first'))
        response.once('close', () => resolve(write(Buffer.from('second'))))
      }).then((port) => {
        const socket = connect(port, '127.0.0.1')
        socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
        socket.once('data', () => socket.destroy())
      })
    })

    expect(await left).toBe(false)
  })
})
