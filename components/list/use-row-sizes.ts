'use client'
/** The height of each row, or an estimate before the row is rendered. */
import { useCallback } from 'react'
import { useMediaQuery } from '@/components/ui/use-media-query'
import type { ListRows } from './list-rows'

/** The same as `--row` in tokens.css. */
const rowPx = { wide: 28, narrow: 44 }
/** Estimates, used until such a row is rendered and measured. */
const detailPx = 160
const gapPx = 36

interface RowSizes {
  /** A measured height is kept for its key, so a row gets another key when it opens or when the page becomes narrow. */
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
