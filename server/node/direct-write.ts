/**
 * A shorter way for streams: straight to Node's response, past Next. A ReadableStream that a route returns goes through a pipe of web
 * streams, which costs several times what the writing itself does, and while it lasts Next keeps some 70 KiB for the request under way.
 * So the route returns the headers alone, and when Next ends the response, the stream goes on with it instead.
 */
import type { ServerResponse } from 'node:http'
import type { Stream } from '@/server/stream/stream'
import { sendStream } from './node-request'
import type { ResponseSlot } from './response-slots'

/**
 * For the last step of a route: has the stream written to the response of `slot` once Next would end that. False where this can't be
 * done (no Node server, requests that are not watched); then the stream must leave another way.
 */
export function writeDirectly(
  slot: ResponseSlot | undefined,
  stream: Stream,
  { status, headers }: { status: number; headers: Record<string, string> },
): boolean {
  const response = slot?.response?.deref()
  if (!slot || !response) return false
  takeOver(response, stream, { status, type: headers['Content-Type'] })
  slot.response = undefined
  return true
}

/** The stream begins when the response would end, which is when all its headers are there. */
function takeOver(
  response: ServerResponse,
  stream: Stream,
  { status, type }: { status: number; type: string | undefined },
): void {
  const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse
  // Until the stream has begun.
  response.once('close', stream.stop)
  response.end = (...args: unknown[]) => {
    response.end = end
    response.off('close', stream.stop)
    const isSame =
      response.statusCode === status && String(response.getHeader('Content-Type')) === type
    // Perhaps an error that came up since.
    if (!isSame || args.length > 0) {
      stream.stop()
      return end(...args)
    }
    sendStream(response, stream)
    return response
  }
}
