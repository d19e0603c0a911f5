import { useEffect, useRef } from 'react'

const nearPx = 120

/** Keeps the end of the page in view while its component is rendered again and again, unless the reader has scrolled up. */
export function useFollowedEnd(): void {
  const isAtEnd = useRef(true)

  useEffect(() => {
    const look = (): void => {
      const { scrollHeight } = document.documentElement
      isAtEnd.current = window.scrollY + window.innerHeight > scrollHeight - nearPx
    }
    window.addEventListener('scroll', look, { passive: true })
    return () => window.removeEventListener('scroll', look)
  }, [])

  useEffect(() => {
    if (isAtEnd.current) window.scrollTo({ top: document.documentElement.scrollHeight })
  })
}
