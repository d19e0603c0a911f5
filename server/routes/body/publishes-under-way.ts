/** Tracks the publishes in progress, so that the process can finish them before it stops. */
import { setTimeout as sleep } from 'node:timers/promises'

export interface PublishesUnderWay {
  /** Counts a publish as in progress until it has its answer. */
  track: <T>(answer: Promise<T>) => Promise<T>
  /** Resolves when no publish is in progress, or after `overMs`, whichever is first. */
  done: (overMs: number) => Promise<void>
}

export function createPublishesUnderWay(): PublishesUnderWay {
  let count = 0
  let whenNone: (() => void) | undefined

  return {
    async track(answer) {
      count++
      try {
        return await answer
      } finally {
        count--
        if (count === 0) whenNone?.()
      }
    },
    async done(overMs) {
      if (count === 0) return
      const none = new Promise<void>((resolve) => {
        whenNone = resolve
      })
      await Promise.race([none, sleep(overMs, undefined, { ref: false })])
    },
  }
}
