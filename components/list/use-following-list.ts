'use client'
/**
 * A scrolling list of any length of which only the rows in sight exist. It stays with the newest while its reader does; when the reader
 * looks back the rows in sight hold still, whatever comes after them or goes before.
 */
import { useLayoutEffect, useRef, useState, type RefObject } from 'react'
import {
  defaultRangeExtractor,
  observeElementOffset,
  observeElementRect,
  useVirtualizer,
  type ReactVirtualizer,
} from '@tanstack/react-virtual'

/** How far from the end still counts as there. */
const tolerancePx = 8
/** Past the end of any list: rows that come are then in sight in the very render that adds them. */
const atTheEnd = 1e9

interface FollowingListOptions {
  count: number
  /** Another function means other rows. */
  keyOf: (index: number) => string | number
  sizeOf: (index: number) => number
  /** The newest event that is in the list, or may come to be. */
  newestSeq: number
  /** A row that stays though out of sight, because it has the focus. */
  pinned: number | undefined
}

interface FollowingList {
  scroller: RefObject<HTMLDivElement | null>
  virtualizer: ReactVirtualizer<HTMLDivElement, HTMLElement>
  /** The newest event when the reader began to look back; undefined while the list follows. */
  heldSince: number | undefined
  follow: () => void
  hold: () => void
  /** Scrolls just as far as it takes to have the row in sight. */
  reveal: (index: number) => void
  /** The same for a row that is drawn, whose height may have changed. It does not count as scrolling to the end. */
  revealDrawn: (row: Element) => void
}

export function useFollowingList(options: FollowingListOptions): FollowingList {
  const { count, keyOf, sizeOf, newestSeq, pinned } = options
  const scroller = useRef<HTMLDivElement>(null)
  const [held, setHeld] = useState<number>()
  const heldSince = count === 0 ? undefined : held
  // What listeners go by: they live longer than a render.
  const present = useRef({ isFollowing: true, newestSeq, scrollTop: 0 })

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
        if (present.current.isFollowing) report(atTheEnd, false)
        else report(offset, isScrolling)
      }),
    observeElementRect: (instance, report) =>
      observeElementRect(instance, (rect) => {
        report(rect)
        stick()
      }),
  })

  useLayoutEffect(() => {
    present.current.isFollowing = heldSince === undefined
    present.current.newestSeq = newestSeq
    // After every render: any may have made the list grow.
    stick()
  })

  function stick(): void {
    if (!scroller.current || !present.current.isFollowing) return
    scroller.current.scrollTop = scroller.current.scrollHeight
    present.current.scrollTop = scroller.current.scrollTop
  }

  function noteScroll(scrollTop: number): void {
    const before = present.current.scrollTop
    // The echo of what this list did itself.
    if (!scroller.current || scrollTop === before) return
    present.current.scrollTop = scrollTop
    const left = scroller.current.scrollHeight - scroller.current.clientHeight - scrollTop
    // A first short step upwards is a reader's who wants to leave.
    setFollowing(left <= 1 || (left <= tolerancePx && scrollTop > before))
  }

  function setFollowing(isFollowing: boolean): void {
    if (isFollowing === present.current.isFollowing) return
    present.current.isFollowing = isFollowing
    setHeld(isFollowing ? undefined : present.current.newestSeq)
  }

  return {
    scroller,
    virtualizer,
    heldSince,
    follow() {
      virtualizer.scrollOffset = atTheEnd
      setFollowing(true)
      stick()
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
      present.current.scrollTop = scroller.current?.scrollTop ?? 0
    },
  }
}
