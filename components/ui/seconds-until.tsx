'use client'
/** Whole seconds until a moment, counted down: `in 3 s`, and at last `now`. It renders by itself each second, and nothing around it does. */
import { useSyncExternalStore, type ReactNode } from 'react'
import { everySecond } from './every-second'

export function SecondsUntil({ moment }: { moment: number }): ReactNode {
  const seconds = useSyncExternalStore(
    everySecond,
    () => Math.max(0, Math.ceil((moment - Date.now()) / 1000)),
    // A server has nothing to wait for.
    () => 0,
  )
  return seconds === 0 ? 'now' : `in ${seconds} s`
}
