'use client'
/** Whole seconds since and until a moment. Only these components render each second, nothing around them. */
import { useSyncExternalStore, type ReactNode } from 'react'

interface SecondsSinceProps {
  /** Milliseconds since the Unix epoch. */
  moment: number
  /** Turns the seconds into text. Default: `3 s`. */
  say?: (seconds: number) => ReactNode
}

export function SecondsSince({
  moment,
  say = (seconds) => `${seconds} s`,
}: SecondsSinceProps): ReactNode {
  const seconds = useSyncExternalStore(
    everySecond,
    () => Math.max(0, Math.round((Date.now() - moment) / 1000)),
    // Nothing has happened yet when the server renders.
    () => 0,
  )
  return say(seconds)
}

/** Counts down, `in 3 s`, and then says `now`. */
export function SecondsUntil({ moment }: { moment: number }): ReactNode {
  const seconds = useSyncExternalStore(
    everySecond,
    () => Math.max(0, Math.ceil((moment - Date.now()) / 1000)),
    // The server has nothing to wait for.
    () => 0,
  )
  return seconds === 0 ? 'now' : `in ${seconds} s`
}

/** Calls `listener` each second, or less often in a background tab, so seconds are read from the clock and not counted. Returns the undo. */
function everySecond(listener: () => void): () => void {
  const timer = setInterval(listener, 1000)
  return () => clearInterval(timer)
}
