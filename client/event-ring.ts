/** The newest events, at most so many, and what a page may say about the rest. */

export interface EventRing<E> {
  push: (event: E) => void
  clear: () => void
  /** Oldest first; the same array until something changed. */
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
      // Half of the array has left before the rest moves up.
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
