/** Collects a body that arrives in chunks, within a limit and a budget. */
import type { UploadShare } from './upload-budget'

export interface BodyBuffer {
  /** Why the chunk was refused; undefined when it was taken. */
  add: (chunk: Uint8Array) => 'too-large' | 'no-room' | undefined
  /** What has come so far. */
  readonly bytes: Uint8Array
}

/** One buffer that grows: a list of chunks would hold far more than `maxBytes` of a body sent in chunks of one byte. */
export function createBodyBuffer(maxBytes: number, share: UploadShare): BodyBuffer {
  let buffer = new Uint8Array(0)
  let length = 0

  return {
    add(chunk) {
      const end = length + chunk.length
      if (end > maxBytes) return 'too-large'
      if (end > buffer.length) {
        // By what has come, not by what `Content-Length` promises: a client that sends nothing would take room from others.
        const size = Math.min(maxBytes, Math.max(end, 2 * buffer.length))
        // Twice: now for the old buffer beside the new one, later for the text made of it.
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
