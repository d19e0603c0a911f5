/** Readers of runs, on plain sockets. They check that each run's tokens come in order and completely. */
import { connect, type Socket } from 'node:net'
import { monotonicUs } from '../peers/tokens'
import { createLatencies, type Latencies } from './latencies'

export interface TokenReaders {
  /** From the making of each token until a reader has it. */
  latencies: Latencies
  /** The same, of the tokens that were made after the reader had its first: of those before, it could not be there in time. */
  live: Latencies
  /** From each request until its first token. */
  firstToken: Latencies
  /** How many tokens came, in order. */
  tokens: () => number
  /** How many came twice, too early, or in the wrong order. */
  wrong: () => number
  /** How many readers had no answer, or a refusal. */
  refused: () => number
  /** Opens a reader. Resolves once the response has begun, or failed. */
  open: (path: string) => Promise<void>
  /** Resolves when so many tokens have come, or none for `quietMs`. */
  got: (tokens: number, quietMs: number) => Promise<void>
  close: () => void
}

const buffer = Buffer.allocUnsafe(256 * 1024)
const [open, comma, close, zero, nine] = ['[', ',', ']', '0', '9'].map((char) => char.charCodeAt(0))
const openTimeoutMs = 30_000

export function createTokenReaders(port: number): TokenReaders {
  const latencies = createLatencies()
  const live = createLatencies()
  const firstToken = createLatencies()
  const sockets = new Set<Socket>()
  let tokens = 0
  let wrong = 0
  let refused = 0
  let awaited = Infinity
  let onAwaited = (): void => {}

  function openOne(path: string): Promise<void> {
    return new Promise((resolve) => {
      const askedAt = performance.now()
      let isOpen = false
      let next = 0
      let isThereSince = Infinity
      // The numbers of the token that is being read; undefined outside of one. A token may arrive in several pieces.
      let number: number | undefined
      let value: number | undefined

      function read(length: number): void {
        const now = monotonicUs()
        for (let at = 0; at < length; at++) {
          const byte = buffer[at] ?? 0
          if (byte === open) {
            number = undefined
            value = 0
          } else if (value === undefined) {
            continue
          } else if (byte >= (zero ?? 0) && byte <= (nine ?? 0)) {
            value = value * 10 + byte - (zero ?? 0)
          } else if (byte === comma && number === undefined) {
            number = value
            value = 0
          } else {
            if (byte === close && number !== undefined) add(number, value, now)
            value = undefined
          }
        }
        if (tokens >= awaited) onAwaited()
      }

      function add(found: number, madeAt: number, now: number): void {
        if (found !== next) {
          wrong++
          return
        }
        if (next === 0) {
          firstToken.add((performance.now() - askedAt) * 1_000)
          isThereSince = now
        }
        next++
        tokens++
        latencies.add(now - madeAt)
        if (madeAt > isThereSince) live.add(now - madeAt)
      }

      const socket = connect({
        port,
        host: '127.0.0.1',
        onread: {
          buffer,
          callback(length) {
            if (!isOpen) {
              isOpen = true
              clearTimeout(timer)
              if (!buffer.toString('latin1', 0, 15).startsWith('HTTP/1.1 200')) refused++
              resolve()
            }
            read(length)
            return true
          },
        },
      })
      sockets.add(socket)
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`)
      const timer = setTimeout(() => socket.destroy(), openTimeoutMs)
      socket.on('error', () => {})
      socket.on('close', () => {
        clearTimeout(timer)
        sockets.delete(socket)
        if (isOpen) return
        refused++
        resolve()
      })
    })
  }

  return {
    latencies,
    live,
    firstToken,
    tokens: () => tokens,
    wrong: () => wrong,
    refused: () => refused,
    open: openOne,
    got(wanted, quietMs) {
      return new Promise((resolve) => {
        let seen = tokens
        const timer = setInterval(() => {
          if (tokens === seen) settle()
          seen = tokens
        }, quietMs)
        const settle = (): void => {
          clearInterval(timer)
          awaited = Infinity
          resolve()
        }
        onAwaited = settle
        awaited = wanted
        if (tokens >= wanted) settle()
      })
    },
    close() {
      for (const socket of sockets) socket.destroy()
    },
  }
}
