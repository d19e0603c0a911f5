'use client'
/** How high a row is, which the stylesheet decides (`--row` in tokens.css) and the list must know before it draws one. */
import { useSyncExternalStore } from 'react'

const narrow = '(width < 640px)'

export function useRowHeight(): number {
  return useSyncExternalStore(
    (onChange) => {
      const query = matchMedia(narrow)
      query.addEventListener('change', onChange)
      return () => query.removeEventListener('change', onChange)
    },
    () => (matchMedia(narrow).matches ? 44 : 28),
    () => 28,
  )
}
