'use client'
/** How high the rows of the list are, as far as that is known before they are drawn. */
import { useCallback } from 'react'
import { useMediaQuery } from '@/components/ui/use-media-query'
import type { ListRows } from './list-rows'

/** As in the stylesheet: `--row` of tokens.css. */
const rowPx = { wide: 28, narrow: 44 }
/** Guesses, until such a row is drawn and measured. */
const detailPx = 160
const gapPx = 36

interface RowSizes {
  /** What is measured holds for as long as the key: an open row is another than it was closed, and so is one on a narrower page. */
  keyOf: (index: number) => string | number
  sizeOf: (index: number) => number
}

export function useRowSizes(rows: ListRows, open: ReadonlySet<number>): RowSizes {
  const closedPx = useMediaQuery('(width < 640px)', false) ? rowPx.narrow : rowPx.wide

  const keyOf = useCallback(
    (index: number) => {
      const { event, gap } = rows.at(index) ?? {}
      if (!event) return `gap ${gap?.beforeSeq} ${gap?.from} ${closedPx}`
      return open.has(event.seq) ? `open ${event.seq} ${closedPx}` : event.seq
    },
    [rows, open, closedPx],
  )

  function sizeOf(index: number): number {
    const event = rows.at(index)?.event
    if (!event) return gapPx
    return open.has(event.seq) ? closedPx + detailPx : closedPx
  }

  return { keyOf, sizeOf }
}
