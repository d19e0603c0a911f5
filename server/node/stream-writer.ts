/**
 * Writes the chunks of a stream to Node's response. Many streams send the same chunk, so its chunked encoding is made once for all of
 * them, and written to the socket in one piece: `response.write` would make three pieces for each stream.
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-7.1
 */
import type { ServerResponse } from 'node:http'

/** Larger chunks are worth no copy. */
const maxCopied = 64 * 1024
const lineEnd = Buffer.from('\r\n')

const encoded = new WeakMap<Uint8Array, Buffer>()

/** Returns a function that writes a chunk; false means that the next one must wait for `goOn`. */
export function createWriter(
  response: ServerResponse,
  goOn: () => void,
): (chunk: Uint8Array) => boolean {
  let isBegun = false

  /** The first chunk goes with the headers, which Node writes. */
  function begin(chunk: Uint8Array): boolean {
    const { socket } = response
    // The socket's, because Node tells the response only of what was written to that. Both end together.
    socket?.on('drain', goOn)
    isBegun = true
    return writeCorked(response, chunk)
  }

  return (chunk) => {
    const { socket } = response
    // `close` tells, a little later, that the reader has left.
    if (!socket || response.destroyed) return false
    if (!isBegun) return begin(chunk)
    if (!response.chunkedEncoding || chunk.length > maxCopied) return writeCorked(response, chunk)
    return socket.write(encode(chunk))
  }
}

function encode(chunk: Uint8Array): Buffer {
  let known = encoded.get(chunk)
  if (!known) {
    const length = Buffer.from(`${chunk.length.toString(16)}\r\n`, 'latin1')
    known = Buffer.concat([length, chunk, lineEnd])
    encoded.set(chunk, known)
  }
  return known
}

/** Node would send the pieces of a chunk together by itself, but one turn later. */
function writeCorked(response: ServerResponse, chunk: Uint8Array): boolean {
  const { socket } = response
  socket?.cork()
  const hasRoom = response.write(chunk)
  joinHead(response)
  socket?.uncork()
  return hasRoom
}

/**
 * Node builds the head of a response by adding piece to piece, and keeps it as long as the response: a tree of some 40 strings, which
 * takes 1 KiB more for each open stream than its text. A search makes V8 join them, in place.
 */
function joinHead(response: ServerResponse): void {
  const { _header: head } = response as { _header?: unknown }
  if (typeof head === 'string') /^HTTP\/\d/.test(head)
}
