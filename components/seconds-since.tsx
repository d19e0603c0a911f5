'use client'
/**
 * Whole seconds since a moment not long ago, counted on. It renders by itself each second, and nothing around it does.
 * Another moment is another counter: give it a `key`.
 */
import { useEffect, useState, type ReactNode } from 'react'

export function SecondsSince({ since }: { since: number }): ReactNode {
  const [seconds, setSeconds] = useState(0)

  useEffect(() => {
    const timer = setInterval(
      // From the clock, because a tab in the background gets fewer ticks.
      () => setSeconds(Math.max(0, Math.round((Date.now() - since) / 1000))),
      1000,
    )
    return () => clearInterval(timer)
  }, [since])

  return `${seconds} s`
}
