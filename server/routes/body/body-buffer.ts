/** Collects a body that arrives in chunks, within a limit and a budget. */
import type { UploadShare } from './upload-budget'

export interface BodyBuffer {
  /** Why the chunk was refused; undefined when it was taken. */
  add: (chunk: Uint8Array) => 'too-large' | 'no-room' | undefined
  /** The bytes received so far. */
  readonly bytes: Uint8Array
}

/** Uses one growing buffer: a list of chunks would take far more than `maxBytes` for a body sent in chunks of one byte. */
export function createBodyBuffer(maxBytes: number, share: UploadShare): BodyBuffer {
  let buffer = new Uint8Array(0)
  let length = 0

  return {
    add(chunk) {
      const end = length + chunk.length
      if (end > maxBytes) return 'too-large'
      if (end > buffer.length) {
        // Grow with the received bytes, not by `Content-Length`: otherwise a client could reserve budget without sending anything.
        const size = Math.min(maxBytes, Math.max(end, 2 * buffer.length))
        // Reserve twice the size: now the old and the new buffer exist together, and later the buffer and its text.
        if (!share.resize(2 * size)) return 'no-room'
        const larger = new Uint8Array(size)
        larger.set(buffer.subarray(0, length))
        buffer = larger
      }
      buffer.set(chunk, length)
      length = end
      return undefined
    },
    get bytes() {
      return buffer.subarray(0, length)
    },
  }
}
