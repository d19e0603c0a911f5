/** A request as the routes know it, whoever received it: Next, or Node's own server. */
import type { UploadShare } from './routes/upload-budget'

/** What can be looked at before there is an answer. A Web `Request` has it. */
export interface RequestHead {
  readonly method: string
  /** Absolute. */
  readonly url: string
  readonly headers: { get: (name: string) => string | null }
}

export interface SseRequest extends RequestHead {
  /** Aborts when the client has left. Undefined where the response itself tells. */
  readonly signal: AbortSignal | undefined
  readBody: ReadBody
}

/**
 * The whole body; or, with the rest of it left unread, that it has more than `maxBytes`, or that `share` has no room for it. What it holds
 * of the share it holds until the caller closes that.
 * @throws {UploadAbortedError}
 */
export type ReadBody = (
  maxBytes: number,
  share: UploadShare,
) => Promise<Uint8Array | 'too-large' | 'no-room'>

/** The client left before its body had arrived. This is an ending, not a fault: there is nobody to answer. */
export class UploadAbortedError extends Error {
  override name = 'UploadAbortedError'
  readonly code = 'upload-aborted'

  /** By name: Next bundles routes and instrumentation apart, and an error crosses from one bundle's class to another's. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'UploadAbortedError'
  }
}
