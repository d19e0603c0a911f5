'use client'
/** Whole seconds since a moment, counted on. It renders by itself each second, and nothing around it does. */
import { useSyncExternalStore, type ReactNode } from 'react'
import { everySecond } from './every-second'

interface SecondsSinceProps {
  /** Milliseconds since the Unix epoch. */
  moment: number
  /** What to say of them. Default: `3 s`. */
  say?: (seconds: number) => ReactNode
}

export function SecondsSince({
  moment,
  say = (seconds) => `${seconds} s`,
}: SecondsSinceProps): ReactNode {
  const seconds = useSyncExternalStore(
    everySecond,
    () => Math.max(0, Math.round((Date.now() - moment) / 1000)),
    // On a server nothing has happened yet.
    () => 0,
  )
  return say(seconds)
}
