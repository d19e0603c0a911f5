/** How fast a reader takes bytes: delays between pieces, and pauses of some seconds. */
import type { Random } from '../random'
import type { Manner } from './recorder'

export interface Pace {
  /** How long to take nothing after so many bytes, in milliseconds. */
  delayAfter: (bytes: number) => number
  calmDown: () => void
}

export function createPace({ bytesPerSecond, pauses }: Manner, random: Random): Pace {
  let isCalm = false
  let nextPauseAt = Date.now() + random.between(2_000, 15_000)
  return {
    delayAfter(bytes) {
      if (isCalm) return 0
      if (pauses && Date.now() >= nextPauseAt) {
        const pauseMs = random.between(1_000, 6_000)
        nextPauseAt = Date.now() + pauseMs + random.between(2_000, 15_000)
        return pauseMs
      }
      return bytesPerSecond === undefined ? 0 : (bytes / bytesPerSecond) * 1_000
    },
    calmDown() {
      isCalm = true
    },
  }
}

/** `fetch` whose bodies are read at this pace: what is not taken stays in the socket. */
export function pacedFetch(pace: Pace): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init)
    const { body } = response
    if (!body) return response
    const reader = body.getReader()
    const paced = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const { done, value } = await reader.read()
          if (done) {
            controller.close()
            return
          }
          controller.enqueue(value)
          const delayMs = pace.delayAfter(value.length)
          if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs))
        },
        cancel: (reason) => reader.cancel(reason),
      },
      { highWaterMark: 0 },
    )
    const { status, headers } = response
    return new Response(status === 204 ? null : paced, { status, headers })
  }
}
