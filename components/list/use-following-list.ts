'use client'
/**
 * A scrolling list of any length that renders only its visible rows. It follows the newest row until the reader scrolls back; from then on
 * the visible rows stay still, whatever is added after them or dropped before them.
 */
import { useLayoutEffect, useRef, useState, type RefObject } from 'react'
import {
  defaultRangeExtractor,
  observeElementOffset,
  observeElementRect,
  useVirtualizer,
  type ReactVirtualizer,
} from '@tanstack/react-virtual'

/** Within this distance the list counts as scrolled to its end. */
const tolerancePx = 8
/** Past the end of any list, so that new rows are visible in the same render that adds them. */
const atTheEnd = 1e9

interface FollowingListOptions {
  count: number
  /** A new function tells the virtualizer that the rows changed. */
  keyOf: (index: number) => string | number
  sizeOf: (index: number) => number
  /** The newest event, even if the filter hides it. */
  newestSeq: number
  /** The row with the focus, which is rendered even when it is not visible. */
  pinned: number | undefined
}

interface FollowingList {
  scroller: RefObject<HTMLDivElement | null>
  virtualizer: ReactVirtualizer<HTMLDivElement, HTMLElement>
  /** The newest event when the reader scrolled back; undefined while the list follows. */
  heldSince: number | undefined
  follow: () => void
  hold: () => void
  /** Scrolls just far enough to make the row visible. */
  reveal: (index: number) => void
  /** The same for a rendered row whose height may have changed. It does not count as scrolling to the end. */
  revealDrawn: (row: Element) => void
}

export function useFollowingList(options: FollowingListOptions): FollowingList {
  const { count, keyOf, sizeOf, newestSeq, pinned } = options
  const scroller = useRef<HTMLDivElement>(null)
  const [held, setHeld] = useState<number>()
  const heldSince = count === 0 ? undefined : held
  // For listeners, which live longer than a render.
  const latest = useRef({ isFollowing: true, newestSeq, scrollTop: 0 })

  const virtualizer = useVirtualizer<HTMLDivElement, HTMLElement>({
    count,
    getItemKey: keyOf,
    estimateSize: sizeOf,
    getScrollElement: () => scroller.current,
    overscan: 6,
    initialOffset: atTheEnd,
    anchorTo: heldSince === undefined ? 'start' : 'end',
    rangeExtractor(range) {
      const indexes = defaultRangeExtractor(range)
      if (pinned === undefined || indexes.includes(pinned)) return indexes
      return [...indexes, pinned].toSorted((a, b) => a - b)
    },
    observeElementOffset: (instance, report) =>
      observeElementOffset(instance, (offset, isScrolling) => {
        noteScroll(offset)
        if (latest.current.isFollowing) report(atTheEnd, false)
        else report(offset, isScrolling)
      }),
    observeElementRect: (instance, report) =>
      observeElementRect(instance, (rect) => {
        report(rect)
        scrollToEnd()
      }),
  })

  useLayoutEffect(() => {
    latest.current.isFollowing = heldSince === undefined
    latest.current.newestSeq = newestSeq
    // After every render, because any render may have made the list grow.
    scrollToEnd()
  })

  function scrollToEnd(): void {
    if (!scroller.current || !latest.current.isFollowing) return
    scroller.current.scrollTop = scroller.current.scrollHeight
    latest.current.scrollTop = scroller.current.scrollTop
  }

  function noteScroll(scrollTop: number): void {
    const before = latest.current.scrollTop
    // The scroll event of the list's own scrolling.
    if (!scroller.current || scrollTop === before) return
    latest.current.scrollTop = scrollTop
    const left = scroller.current.scrollHeight - scroller.current.clientHeight - scrollTop
    // Near the end only downward steps count: a short step upwards means that the reader wants to look back.
    setFollowing(left <= 1 || (left <= tolerancePx && scrollTop > before))
  }

  function setFollowing(isFollowing: boolean): void {
    if (isFollowing === latest.current.isFollowing) return
    latest.current.isFollowing = isFollowing
    setHeld(isFollowing ? undefined : latest.current.newestSeq)
  }

  return {
    scroller,
    virtualizer,
    heldSince,
    follow() {
      virtualizer.scrollOffset = atTheEnd
      setFollowing(true)
      scrollToEnd()
    },
    hold() {
      virtualizer.scrollOffset = scroller.current?.scrollTop ?? 0
      setFollowing(false)
    },
    reveal(index) {
      const row = virtualizer.measurementsCache[index]
      if (!row || !scroller.current) return
      const { scrollTop, clientHeight } = scroller.current
      scroller.current.scrollTop = Math.max(row.end - clientHeight, Math.min(scrollTop, row.start))
    },
    revealDrawn(row) {
      row.scrollIntoView({ block: 'nearest' })
      latest.current.scrollTop = scroller.current?.scrollTop ?? 0
    },
  }
}
