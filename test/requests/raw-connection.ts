/** A connection on which a test writes requests byte by byte: pipelined, half sent, or with a target that no client would send. */
import { once } from 'node:events'
import { connect } from 'node:net'

export interface RawConnection {
  send: (text: string) => void
  /** What has come so far. */
  received: () => string
  /** Stops taking bytes from the socket. */
  pause: () => void
  /** Breaks the connection. */
  destroy: () => void
  /** Resolves when the connection has ended, whoever ended it, with how long it lasted in milliseconds. */
  closed: Promise<number>
}

/** @throws nobody listens there */
export async function openConnection(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  await once(socket, 'connect')
  const openedAt = performance.now()
  let received = ''
  socket.setEncoding('utf8').on('data', (text: string) => (received += text))
  // A connection that the server cut has ended like any other.
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

/** The beginning of a request whose body is still to come. */
export function headText(method: string, target: string, headers: Record<string, string>): string {
  const lines = Object.entries({ Host: 'localhost', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`
}
