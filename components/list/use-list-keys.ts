'use client'
/** The keyboard in the list, which is one tab stop: arrows, Home and End move within it, `/` goes to the filter. */
import {
  useEffect,
  useLayoutEffect,
  type FocusEvent,
  type KeyboardEvent,
  type RefObject,
} from 'react'
import type { ListRows } from './list-rows'

interface ListKeysOptions {
  rows: ListRows
  scroller: RefObject<HTMLElement | null>
  /** The event whose row has the focus. */
  active: number | undefined
  setActive: (seq: number | undefined) => void
  /** The first and the last visible row. */
  rangeOf: () => { startIndex: number; endIndex: number } | null
  reveal: (index: number) => void
  follow: () => void
  hold: () => void
  focusFilter: () => void
  clearFilter: () => void
}

interface ListKeys {
  tabIndex: 0
  onKeyDown: (event: KeyboardEvent) => void
  onFocus: (event: FocusEvent) => void
  onBlur: (event: FocusEvent) => void
}

/** Props to spread on the list. */
export function useListKeys(options: ListKeysOptions): ListKeys {
  const { rows, scroller, active, setActive, rangeOf, reveal, follow, hold } = options
  const activeIndex = active === undefined ? undefined : rows.indexOf(active)
  const isRowGone = active !== undefined && activeIndex === undefined

  useLayoutEffect(() => {
    if (active === undefined) return
    const row = scroller.current?.querySelector<HTMLElement>(`[data-seq="${active}"]`)
    if (row !== document.activeElement) row?.focus({ preventScroll: true })
  }, [active, scroller])

  // The focused row was dropped with its event: the list takes the focus.
  useEffect(() => {
    const hasFocus = document.activeElement !== document.body
    if (isRowGone && !hasFocus) scroller.current?.focus({ preventScroll: true })
  }, [isRowGone, scroller])

  function moveTo(start: number, step: 1 | -1): void {
    let index = start
    while (rows.at(index)?.gap) index += step
    const seq = rows.at(index)?.event?.seq
    if (seq === undefined) return
    hold()
    reveal(index)
    setActive(seq)
  }

  const keys: Record<string, () => void> = {
    ArrowDown: () => moveTo((activeIndex ?? (rangeOf()?.startIndex ?? 0) - 1) + 1, 1),
    ArrowUp: () => moveTo((activeIndex ?? (rangeOf()?.endIndex ?? 0) + 1) - 1, -1),
    Home: () => moveTo(0, 1),
    End() {
      scroller.current?.focus({ preventScroll: true })
      follow()
    },
    '/': options.focusFilter,
    Escape: options.clearFilter,
  }

  return {
    tabIndex: 0,
    onKeyDown(event) {
      const { key, target, ctrlKey, metaKey, altKey } = event
      const isOnRow = target instanceof HTMLElement && target.dataset['seq'] !== undefined
      // The contents of an open row handle their own keys.
      if (ctrlKey || metaKey || altKey || (!isOnRow && target !== scroller.current)) return
      if (!Object.hasOwn(keys, key)) return
      event.preventDefault()
      keys[key]?.()
    },
    onFocus({ target }) {
      const seq = target instanceof HTMLElement ? target.dataset['seq'] : undefined
      setActive(seq === undefined ? undefined : Number(seq))
    },
    onBlur({ currentTarget, relatedTarget }) {
      // When a focused row is removed, nothing gets the focus.
      if (relatedTarget && !currentTarget.contains(relatedTarget)) setActive(undefined)
    },
  }
}
