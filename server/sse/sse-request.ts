/** The request type of the routes. The request may come from Next or directly from Node's server. */
import type { UploadShare } from '@/server/routes/body/upload-budget'

/** The parts of a request that need no reading of its body. A Web `Request` has these properties. */
export interface RequestHead {
  readonly method: string
  /** Absolute. */
  readonly url: string
  readonly headers: { get: (name: string) => string | null }
}

/** A request that can be handed to an app's own code. */
export interface AskedRequest extends RequestHead {
  /** Makes a Web `Request` of it, without the body. */
  toRequest: () => Request
}

export interface SseRequest extends AskedRequest {
  /** Aborts when the client has left. Undefined when the response itself reports this. */
  readonly signal: AbortSignal | undefined
  readBody: ReadBody
}

/**
 * Reads the whole body. Stops reading, and resolves with a reason, when the body exceeds `maxBytes` or the budget of `share`. `share`
 * stays reserved until the caller closes it.
 * @throws {UploadAbortedError}
 */
export type ReadBody = (
  maxBytes: number,
  share: UploadShare,
) => Promise<Uint8Array | 'too-large' | 'no-room'>

/** The client left before its whole body had arrived. This is an ending, not an error: the client waits for no answer. */
export class UploadAbortedError extends Error {
  override name = 'UploadAbortedError'
  readonly code = 'upload-aborted'

  /** Compares by name: Next bundles routes and instrumentation separately, so an error may be an instance of another bundle's class. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'UploadAbortedError'
  }
}
