/**
 * A shorter way for frames: from the route straight to Node's response, past the pipe of web streams in between, which costs several
 * times what the writing itself does. The route's ReadableStream stays in charge of the stream's life: it has the first frame, it is told
 * when the reader leaves, and its end is the response's. Where the ground for it is missing (no Node server, a body that somebody
 * changes on the way, an encoding), there is no such way, and everything goes through the ReadableStream.
 *
 * Node tells of each response on a diagnostics channel, which its docs still call experimental; `server-requests.ts` listens there.
 * @see https://nodejs.org/api/diagnostics_channel.html#http
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { ServerResponse } from 'node:http'
import { oncePerProcess } from '@/events/once-per-process'

/** What begins during a request may outlive it, and must not keep its response. */
interface Seat {
  response: ServerResponse | undefined
}

const seats = oncePerProcess('response-seats', () => new AsyncLocalStorage<Seat>())

/** Lets `directLane` find `response` in all that the current request leads to. */
export function seatResponse(response: ServerResponse): void {
  const seat: Seat = { response }
  seats.enterWith(seat)
  response.once('close', () => {
    seat.response = undefined
  })
}

export interface DirectLane {
  /** Remembers what goes through the ReadableStream. */
  watch(chunk: Uint8Array): void
  /** True when all of that has been written, as it was: from then on `write` continues it, and `onDrain` tells when it may go on. */
  takeOver(onDrain: () => void): boolean
  /** False when the next chunk must wait for `onDrain`. */
  write(chunk: Uint8Array): boolean
}

/** The lane of the current request, once; undefined where there is none. */
export function directLane(): DirectLane | undefined {
  const seat = seats.getStore()
  const response = seat?.response
  if (!seat || !response) return undefined
  seat.response = undefined
  return createLane(response)
}

function createLane(response: ServerResponse): DirectLane {
  const write = response.write.bind(response) as (...args: unknown[]) => boolean
  let awaited: Uint8Array | undefined
  let isWritten = false

  // That the very chunk arrives here proves that nobody holds it back or changes it.
  response.write = (...args: unknown[]) => {
    if (args[0] === awaited) isWritten = true
    return write(...args)
  }

  return {
    watch(chunk) {
      awaited = chunk
      isWritten = false
    },
    takeOver(onDrain) {
      if (!isWritten || response.hasHeader('Content-Encoding')) return false
      response.on('drain', onDrain)
      return true
    },
    write(chunk) {
      // That the reader has left is the ReadableStream's to tell, a little later.
      return !response.destroyed && !response.writableEnded && write(chunk)
    },
  }
}
