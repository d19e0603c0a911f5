/**
 * Node's response to the current request, which a route handler has no hold of. `server-requests.ts` puts it here, and all that the
 * request leads to finds it: whether a stream can have the connection, and the direct lane.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { ServerResponse } from 'node:http'
import type { ReconnectReason } from '@/protocol/control-events'
import { oncePerProcess } from '@/server/once-per-process'

export interface ResponseSlot {
  /** Weak, because what begins during a request may outlive it and must not keep its response. */
  response: WeakRef<ServerResponse> | undefined
  /** Whether a stream may be written straight to the response. */
  allowsDirect: boolean
}

const slots = oncePerProcess('response-slots', () => ({
  storage: new AsyncLocalStorage<ResponseSlot>(),
  /** From when on every request has a slot: `performance.now()`. */
  filledSince: undefined as number | undefined,
}))

/** A request from before the start has reached its route by then. One without a slot later on came by what has none, such as HTTP/2. */
const startMs = 60_000

/** From now on each request runs within `runWithResponse`. */
export function beginSlots(): void {
  slots.filledSince ??= performance.now()
}

export function runWithResponse<T>(
  response: ServerResponse,
  allowsDirect: boolean,
  run: () => T,
): T {
  return slots.storage.run({ response: new WeakRef(response), allowsDirect }, run)
}

/** Undefined outside of a request, and where nobody watches requests. */
export function currentSlot(): ResponseSlot | undefined {
  return slots.storage.getStore()
}

/**
 * True for a request that came while Next listened already, but requests were not watched yet: it has no stall timeout, and what its
 * client says of its own address stands.
 */
export function isFromBeforeStart(): boolean {
  return (
    slots.filledSince !== undefined &&
    slots.storage.getStore() === undefined &&
    performance.now() - slots.filledSince < startMs
  )
}

/** Makes the connection of the current request ready for a stream, or says why no stream may open on it. */
export function claimConnection(): ReconnectReason | undefined {
  if (isFromBeforeStart()) return 'starting'
  const response = currentSlot()?.response?.deref()
  if (!response) return undefined
  const { req: request, socket } = response
  // Its turn may never come, and in Node 20 and 22 nothing tells when its client has left.
  if (!socket || socket.destroyed) return 'pipelined'
  // Nobody else reads a body sent along, and behind one unread a reader that leaves goes unnoticed.
  request.resume()
  return undefined
}
