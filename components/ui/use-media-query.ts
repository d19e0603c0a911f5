'use client'
/** Whether a media query holds, for what a stylesheet alone can't do. `onServer` is what a server takes it to be. */
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
