/**
 * Node's response to the current request, which Next gives no route handler. `server-requests.ts` puts it into a slot, and whatever runs
 * for the request finds it there: to write a stream straight to it, and to tell whether its connection can have one.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ReconnectReason } from '@/protocol/control-events'

export interface ResponseSlot {
  /** Weak, because work that a request started may outlive it and must not keep its response. */
  response: WeakRef<ServerResponse> | undefined
  server: Server
  /** Why the front door left the request to Next. Undefined when it did not have it. */
  leftToNext?: string
}

/** The place of a request among those of its connection that want to keep their order. */
export interface Turn {
  /** Resolves when the turns of all earlier ones have ended. */
  come: Promise<void>
  /** Ending twice is harmless. */
  end: () => void
}

export interface ResponseSlots {
  /**
   * Each request has a slot from now on. `isEarly` says that a request which is under way already came too early: otherwise requests
   * without a slot count as ordinary ones.
   */
  begin: (options: { isEarly: boolean }) => void
  run: <T>(response: ServerResponse, server: Server, run: () => T) => T
  /** Runs code outside of every request, so that nothing there can mistake the request that is under way for its own. */
  outside: <T>(run: () => T) => T
  /** Undefined outside of a request, and where requests are not watched. */
  current: () => ResponseSlot | undefined
  /**
   * True for a request that came while Next listened already, but requests were not watched yet: it has no stall timeout, and its
   * forwarded address may be forged.
   */
  isFromBeforeStart: () => boolean
  /** Makes the connection of the current request ready for a stream, or says why no stream may open on it. */
  claimConnection: () => ReconnectReason | undefined
  /** Where the connection of the current request is not known, the turn has come already. */
  takeTurn: () => Turn
}

/** An early request has reached its route by then. A later one without a slot came by what has none, such as HTTP/2. */
const startMs = 60_000

export function createResponseSlots(): ResponseSlots {
  const storage = new AsyncLocalStorage<ResponseSlot>()
  /** Until then, a request without a slot is an early one: `performance.now()`. */
  let earlyUntil = -Infinity
  let hasBegun = false
  /** What surrounds a request before Next has it. */
  let surroundings: (<T>(run: () => T) => T) | undefined
  /** Of each connection: resolves when all turns taken so far have ended. */
  const turns = new WeakMap<Socket, Promise<void>>()

  function isFromBeforeStart(): boolean {
    return storage.getStore() === undefined && performance.now() < earlyUntil
  }

  return {
    begin({ isEarly }) {
      if (hasBegun) return
      hasBegun = true
      if (isEarly) earlyUntil = performance.now() + startMs
    },
    run(response, server, run) {
      surroundings ??= AsyncLocalStorage.snapshot()
      return storage.run({ response: new WeakRef(response), server }, run)
    },
    outside: (run) => (surroundings ? surroundings(run) : run()),
    current: () => storage.getStore(),
    isFromBeforeStart,
    claimConnection() {
      if (isFromBeforeStart()) return 'starting'
      const response = storage.getStore()?.response?.deref()
      if (!response) return undefined
      const { req: request, socket } = response
      // Its turn may never come, and Node 20 and 22 do not tell when its client has left.
      if (!socket || socket.destroyed) return 'pipelined'
      // Nothing else reads a body sent along, and behind an unread one Node does not notice a reader that leaves.
      request.resume()
      return undefined
    },
    takeTurn() {
      const { socket } = storage.getStore()?.response?.deref()?.req ?? {}
      const come = (socket && turns.get(socket)) ?? Promise.resolve()
      let end = (): void => {}
      const ended = new Promise<void>((resolve) => (end = resolve))
      if (socket)
        turns.set(
          socket,
          come.then(() => ended),
        )
      return { come, end }
    },
  }
}
