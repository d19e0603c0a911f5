'use client'
/** Keeps a scrolling element at its end while its reader is there, and leaves it alone while the reader looks back. */
import { useLayoutEffect, useRef, type RefCallback } from 'react'

/** How far from the end still counts as there. */
const tolerancePx = 8

/** What to spread on the element, by the component that renders what is in it. */
export function useFollowing(): {
  ref: RefCallback<HTMLElement>
  onScroll: () => void
} {
  const scroller = useRef<HTMLElement>(null)
  const isFollowing = useRef(true)

  // After every render: any may have made the element grow.
  useLayoutEffect(() => {
    if (isFollowing.current) scroller.current?.scrollTo({ top: scroller.current.scrollHeight })
  })

  return {
    ref(element) {
      scroller.current = element
    },
    onScroll() {
      if (!scroller.current) return
      const { scrollHeight, scrollTop, clientHeight } = scroller.current
      isFollowing.current = scrollHeight - scrollTop - clientHeight < tolerancePx
    },
  }
}
