/** Keeps the newest events, up to a limit, and counts the older ones that were dropped. */

export interface EventRing<E> {
  push: (event: E) => void
  clear: () => void
  /** Oldest first; returns the same array until something changes. */
  read: () => { events: readonly E[]; dropped: number }
}

export function createEventRing<E>(size: number): EventRing<E> {
  let items: E[] = []
  let first = 0
  let dropped = 0
  let snapshot: { events: readonly E[]; dropped: number } | undefined

  return {
    push(event) {
      snapshot = undefined
      items.push(event)
      if (items.length - first <= size) return
      first++
      dropped++
      // Compacts only when half of the array is unused, so that the average cost of a push is constant.
      if (first >= size) {
        items = items.slice(first)
        first = 0
      }
    },
    clear() {
      snapshot = undefined
      items = []
      first = 0
      dropped = 0
    },
    read() {
      return (snapshot ??= { events: items.slice(first), dropped })
    },
  }
}
