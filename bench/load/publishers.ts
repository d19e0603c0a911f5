/** POSTs over keep-alive sockets, written by hand: Node's own client would cost as much CPU as the measured server. */
import { connect, type Socket } from 'node:net'
import { createLatencies, type Latencies } from './latencies'
import { createEvent } from './payload'

export interface Publishers {
  /**
   * Sends `count` new events in one POST: as they are when it is one, else as lines of NDJSON. Resolves when it is answered.
   * @throws it was refused, or its connection broke
   */
  publish: (count: number) => Promise<void>
  underWay: () => number
  /** The number of events whose POST succeeded. */
  published: () => number
  /** The time from sending each POST to its answer. */
  latencies: Latencies
}

export interface PublishersOptions {
  port: number
  path: string
  headers: Record<string, string>
  /** Makes the data of an event, in ASCII. Default: `createEvent`. */
  createData?: () => string
}

interface Connection {
  socket: Socket
  onAnswer: (status: number) => void
  onBroken: () => void
}

export function createPublishers({
  port,
  path,
  headers,
  createData = createEvent,
}: PublishersOptions): Publishers {
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: localhost',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ].join('\r\n')
  const latencies = createLatencies()
  // Uses the most recently used connection first: a server closes connections that are idle for long.
  const idle: Connection[] = []
  let underWay = 0
  let published = 0

  function openConnection(): Connection {
    const socket = connect(port, '127.0.0.1').setNoDelay()
    const connection: Connection = { socket, onAnswer() {}, onBroken() {} }
    let received = ''
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      if (!isWhole(received)) return
      const status = Number(received.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length))
      received = ''
      idle.push(connection)
      connection.onAnswer(status)
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      const at = idle.indexOf(connection)
      if (at !== -1) idle.splice(at, 1)
      connection.onBroken()
    })
    return connection
  }

  function post(type: string, body: string): Promise<number> {
    const connection = idle.pop() ?? openConnection()
    return new Promise((resolve, reject) => {
      connection.onAnswer = resolve
      connection.onBroken = () => reject(new Error('The connection of a POST broke.'))
      connection.socket.write(
        `${head}\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      )
    })
  }

  return {
    latencies,
    underWay: () => underWay,
    published: () => published,
    async publish(count) {
      const type = count === 1 ? 'text/plain' : 'application/x-ndjson'
      const body = Array.from({ length: count }, createData).join('\n')
      const startedAt = performance.now()
      underWay++
      try {
        const status = await post(type, body)
        if (status >= 300) throw new Error(`A POST was answered ${status}.`)
        published += count
        latencies.add((performance.now() - startedAt) * 1_000)
      } finally {
        underWay--
      }
    },
  }
}

function isWhole(answer: string): boolean {
  const end = answer.indexOf('\r\n\r\n')
  if (end === -1) return false
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(answer.slice(0, end + 2)) ?? []
  return length === undefined
    ? answer.endsWith('0\r\n\r\n')
    : answer.length >= end + 4 + Number(length)
}
