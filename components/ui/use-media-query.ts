'use client'
/** Whether a media query matches, for what a stylesheet can't do. `onServer` is the value during server rendering. */
import { useSyncExternalStore } from 'react'

export function useMediaQuery(query: string, onServer: boolean): boolean {
  return useSyncExternalStore(
    (onChange) => {
      const list = matchMedia(query)
      list.addEventListener('change', onChange)
      return () => list.removeEventListener('change', onChange)
    },
    () => matchMedia(query).matches,
    () => onServer,
  )
}
