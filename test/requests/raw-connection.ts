/** Connections on which a test writes requests byte by byte: pipelined, half sent, or with a target that no client would send. */
import { once } from 'node:events'
import { connect } from 'node:net'

export interface RawConnection {
  send: (text: string) => void
  /** Everything received so far. */
  received: () => string
  /** Stops taking bytes from the socket. */
  pause: () => void
  /** Breaks the connection. */
  destroy: () => void
  /** Resolves when the connection has ended on either side, with how long it lasted in milliseconds. */
  closed: Promise<number>
}

/** @throws when nothing listens there */
export async function openConnection(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  await once(socket, 'connect')
  const openedAt = performance.now()
  let received = ''
  socket.setEncoding('utf8').on('data', (text: string) => (received += text))
  // A connection that the server cut counts as ended.
  socket.on('error', () => {})
  return {
    send: (text) => socket.write(text),
    received: () => received,
    pause: () => socket.pause(),
    destroy: () => socket.destroy(),
    closed: new Promise((resolve) => {
      socket.once('close', () => resolve(performance.now() - openedAt))
    }),
  }
}

/** A request without a body. `target` is sent as it is. */
export function requestText(target: string, headers: Record<string, string> = {}): string {
  return headText('GET', target, headers)
}

/** The head of a request whose body follows. */
export function headText(method: string, target: string, headers: Record<string, string>): string {
  const lines = Object.entries({ Host: 'localhost', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`
}

/** Requests `path` on a new connection, and closes it when `isEnough` returns true. The text has head and chunks, one character for each byte. */
export function readRaw(
  url: string,
  path: string,
  isEnough: (text: string) => boolean,
): Promise<string> {
  const { hostname, port, host } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) })
    let text = ''
    socket.setEncoding('latin1')
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    socket.on('data', (chunk) => {
      text += String(chunk)
      if (!isEnough(text)) return
      socket.destroy()
      resolve(text)
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`The connection closed after:\n${text}`)))
  })
}
