/** How much one client may have: so many streams open at once, and so many publishes a minute without a token. */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'

export interface LimitOptions {
  /** How many streams a client may have open. 0: as many as it likes. */
  streams: number
  /** How often a client may ask to publish in a minute. 0: as often as it likes. */
  publishesPerMinute: number
}

export interface Limits {
  /** Counts a stream of `client`, until what it returns is called; undefined when it has all it may have. */
  openStream: (client: string) => (() => void) | undefined
  /** Counts a publish of `client`. Undefined when it may, else after how many seconds it may again. */
  takePublish: (client: string) => Promise<number | undefined>
}

export function createLimits({ streams, publishesPerMinute }: LimitOptions): Limits {
  const openOf = new Map<string, number>()
  const publishes = new RateLimiterMemory({ points: publishesPerMinute, duration: 60 })

  return {
    openStream(client) {
      const open = openOf.get(client) ?? 0
      if (streams > 0 && open >= streams) return undefined
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
