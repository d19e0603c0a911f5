/** Binary search. */

/** The first index from `start` up to `end` for which `isBefore` is false; `end` if there is none. Once false, `isBefore` must stay false. */
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
