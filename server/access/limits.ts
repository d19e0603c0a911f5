/** Limits per client: the number of open streams, and of publishes per minute without a token. */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'

export interface LimitOptions {
  /** How many streams a client may have open. 0: no limit. */
  streams: number
  /** How often a client may try to publish in a minute. 0: no limit. */
  publishesPerMinute: number
}

export interface Limits {
  /**
   * Counts a stream of a client as open until the returned function is called. Returns undefined when the client is at its limit. Without
   * a limit, does not ask who the client is: to find the address of a socket is a system call.
   */
  openStream: (clientOf: () => string) => (() => void) | undefined
  /** Counts a publish of `client`. Resolves with undefined when it is allowed, else with the seconds to wait. */
  takePublish: (client: string) => Promise<number | undefined>
}

export function createLimits({ streams, publishesPerMinute }: LimitOptions): Limits {
  const openOf = new Map<string, number>()
  const publishes = new RateLimiterMemory({ points: publishesPerMinute, duration: 60 })

  return {
    openStream(clientOf) {
      if (streams === 0) return () => {}
      const client = clientOf()
      const open = openOf.get(client) ?? 0
      if (open >= streams) return undefined
      openOf.set(client, open + 1)
      let isOpen = true
      return () => {
        if (!isOpen) return
        isOpen = false
        const left = (openOf.get(client) ?? 1) - 1
        if (left > 0) openOf.set(client, left)
        else openOf.delete(client)
      }
    },
    async takePublish(client) {
      if (publishesPerMinute === 0) return undefined
      try {
        await publishes.consume(client)
        return undefined
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) throw refusal
        return Math.max(1, Math.ceil(refusal.msBeforeNext / 1_000))
      }
    },
  }
}
