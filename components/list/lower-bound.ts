/** Binary search in ascending numbers, and in events by their `seq`. */

/** The index of the first of `count` ascending numbers that is at least `wanted`; `count` when there is none. */
export function lowerBound(count: number, at: (index: number) => number, wanted: number): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (at(middle) < wanted) low = middle + 1
    else high = middle
  }
  return low
}

/** The index of the first event that is not older than `seq`, which is how many are older. */
export function indexFrom(events: readonly { seq: number }[], seq: number): number {
  return lowerBound(events.length, (index) => events[index]?.seq ?? 0, seq)
}
