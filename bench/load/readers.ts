/**
 * Open streams on plain sockets. They parse only the status of the response, and where each event ends. Most readers get the same bytes, so
 * the last pieces are kept, and one that comes again is compared with them instead of being searched.
 */
import { connect } from 'node:net'
import { createLatencies, type Latencies } from './latencies'
import { endOfEvent, eventBytes, nowUs, sentAtUs } from './payload'

export interface OpenRequest {
  path: string
  count: number
  parallel: number
}

export interface Readers {
  /**
   * Opens streams, `parallel` at a time, and gives how long each took until its response began. One that is refused, breaks, or has no
   * response within half a minute, is a fault.
   */
  open: (request: OpenRequest) => Promise<{ took: Latencies; faults: string[] }>
  /** The number of events that all readers together have received. */
  events: () => number
  /** The time from sending an event until a reader has it, for each delivery. */
  latencies: Latencies
  /** Streams that the server ended. */
  broken: () => number
  /** Resolves with true when they have received `events` since the beginning, with false after `timeoutMs`. */
  got: (events: number, timeoutMs: number) => Promise<boolean>
}

const openTimeoutMs = 30_000
const keptPieces = 8

// All sockets share this buffer: each read is processed before the next one.
const buffer = Buffer.allocUnsafe(256 * 1024)

/** What came in one read. */
interface Piece {
  bytes: Buffer
  /** Where the first event may end. */
  at: number
  /** Where the first event may end in what comes next. */
  next: number
  events: number
  /** When its events were sent, as far as their times are in it. */
  sentAt: number[]
}

export function createReaders(port: number): Readers {
  const latencies = createLatencies()
  const pieces: Piece[] = []
  let events = 0
  let broken = 0
  let awaited = Infinity
  let onAwaited = (): void => {}

  function openOne(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      let isOpen = false
      let skip = 0
      const onRead = (length: number): boolean => {
        if (!isOpen) {
          const head = buffer.toString('latin1', 0, Math.min(length, 200))
          if (!head.startsWith('HTTP/1.1 200')) {
            reject(new Error(`A stream was refused: ${head.split('\r\n')[0]}`))
            return false
          }
          isOpen = true
          clearTimeout(timer)
          resolve()
        }
        skip = count(length, skip)
        return true
      }
      const socket = connect({
        port,
        host: '127.0.0.1',
        onread: { buffer, callback: onRead },
      })
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`)
      const timer = setTimeout(() => socket.destroy(new Error('no response')), openTimeoutMs)
      socket.on('error', reject)
      socket.on('close', () => {
        clearTimeout(timer)
        if (isOpen) broken++
        else reject(new Error('A stream broke before its response.'))
      })
    })
  }

  /** Counts the ends of events from `at` on. Returns where to continue in the next bytes. */
  function count(length: number, at: number): number {
    const now = nowUs()
    const piece = known(length, at) ?? search(length, at)
    events += piece.events
    for (const sentAt of piece.sentAt) latencies.add(now - sentAt)
    if (events >= awaited) onAwaited()
    return piece.next
  }

  function known(length: number, at: number): Piece | undefined {
    return pieces.find(
      (piece) =>
        piece.at === at &&
        piece.bytes.length === length &&
        buffer.compare(piece.bytes, 0, length, 0, length) === 0,
    )
  }

  function search(length: number, at: number): Piece {
    const sentAt: number[] = []
    let found = 0
    let next = at
    while (next < length) {
      if (buffer[next] !== endOfEvent) {
        next++
        continue
      }
      found++
      const time = sentAtUs(buffer, next)
      if (time !== undefined) sentAt.push(time)
      // The next event can't end earlier.
      next += eventBytes
    }
    const bytes = Buffer.from(buffer.subarray(0, length))
    const piece = { bytes, at, next: next - length, events: found, sentAt }
    pieces.unshift(piece)
    if (pieces.length > keptPieces) pieces.pop()
    return piece
  }

  return {
    latencies,
    events: () => events,
    broken: () => broken,
    async open({ path, count: wanted, parallel }) {
      const took = createLatencies()
      const faults: string[] = []
      let left = wanted
      await Promise.all(
        Array.from({ length: parallel }, async () => {
          while (left > 0) {
            left--
            const startedAt = performance.now()
            try {
              await openOne(path)
              took.add((performance.now() - startedAt) * 1_000)
            } catch (error) {
              faults.push(String(error))
            }
          }
        }),
      )
      return { took, faults }
    },
    got(wanted, timeoutMs) {
      return new Promise((resolve) => {
        const settle = (hasAll: boolean): void => {
          clearTimeout(timer)
          awaited = Infinity
          resolve(hasAll)
        }
        const timer = setTimeout(() => settle(false), timeoutMs)
        onAwaited = () => settle(true)
        awaited = wanted
        if (events >= wanted) settle(true)
      })
    },
  }
}
