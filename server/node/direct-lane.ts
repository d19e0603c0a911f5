/**
 * A shorter way for streams: straight to Node's response, past Next. A ReadableStream that a route returns goes through a pipe of web
 * streams, which costs several times what the writing itself does, and while it lasts Next keeps some 70 KiB for the request under way.
 * So the route returns the headers alone, and when Next ends the response, the stream goes on with it instead. Where the ground for
 * that is missing (no Node server, no instrumentation), the route returns its ReadableStream.
 */
import type { ServerResponse } from 'node:http'
import { currentSlot } from './response-slot'
import { takeStream, type Stream } from '@/server/stream/stream-response'

/**
 * For the last step of a route: what to return instead of `answer`, so that it goes the shorter way. Returns `answer` itself when it
 * isn't one of `streamResponse`, or can't go that way.
 */
export function sendDirectly(answer: Response): Response {
  const slot = currentSlot()
  const response = slot?.allowsDirect ? slot.response?.deref() : undefined
  if (!slot || !response) return answer
  const stream = takeStream(answer)
  if (!stream) return answer
  takeOver(response, answer, stream)
  slot.response = undefined
  return new Response(null, { status: answer.status, headers: answer.headers })
}

/** The stream begins when the response would end, which is when all its headers are there. */
function takeOver(response: ServerResponse, { status, headers }: Response, stream: Stream): void {
  const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse
  const type = headers.get('Content-Type')
  // It comes, because a stream only opens on a response that has its socket.
  response.once('close', stream.stop)
  response.end = (...args: unknown[]) => {
    response.end = end
    const isSame =
      response.statusCode === status && String(response.getHeader('Content-Type')) === type
    // An error, perhaps, that came up since.
    if (!isSame || args.length > 0) {
      stream.stop()
      return end(...args)
    }
    response.on('drain', stream.goOn)
    stream.send({
      // That the reader has left is told by `close`, a little later.
      write(chunk) {
        const { socket } = response
        if (!socket || response.destroyed) return false
        // Node would by itself send the pieces of a chunk together, but one round later.
        socket.cork()
        const hasRoom = response.write(chunk)
        socket.uncork()
        return hasRoom
      },
      close: () => void end(),
    })
    return response
  }
}
