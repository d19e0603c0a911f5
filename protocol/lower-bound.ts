/** Binary search. */

/** Returns the first index from `start` up to `end` for which `isBefore` is false, or `end`. `isBefore` must be false for all later indexes too. */
export function lowerBound(end: number, isBefore: (index: number) => boolean, start = 0): number {
  let low = start
  let high = end
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore(middle)) low = middle + 1
    else high = middle
  }
  return low
}
