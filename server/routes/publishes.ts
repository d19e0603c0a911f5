/** The publishes under way in this process, which finish before it stops. */
import { setTimeout as sleep } from 'node:timers/promises'
import { oncePerProcess } from '@/server/once-per-process'

const publishes = oncePerProcess('publishes', () => ({
  underWay: 0,
  /** Called when the last one has its answer. */
  whenNone: undefined as (() => void) | undefined,
}))

/** Counts a publish as under way until it has its answer. */
export async function trackPublish<T>(answer: Promise<T>): Promise<T> {
  publishes.underWay++
  try {
    return await answer
  } finally {
    publishes.underWay--
    if (publishes.underWay === 0) publishes.whenNone?.()
  }
}

/** Resolves when none is under way, or after `overMs`, whichever is first. */
export async function publishesDone(overMs: number): Promise<void> {
  if (publishes.underWay === 0) return
  const none = new Promise<void>((resolve) => {
    publishes.whenNone = resolve
  })
  await Promise.race([none, sleep(overMs, undefined, { ref: false })])
}
