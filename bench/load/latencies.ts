/** Counts latencies in steps of 20 µs. Each costs one counter; a latency above a minute counts as a minute. */
export interface Latencies {
  add: (microseconds: number) => void
  /** In milliseconds; NaN when there is none. */
  quantile: (share: number) => number
  clear: () => void
}

const stepUs = 20
const steps = 60_000_000 / stepUs

export function createLatencies(): Latencies {
  const counts = new Uint32Array(steps)
  let total = 0
  return {
    add(microseconds) {
      const step = Math.min(Math.max(Math.floor(microseconds / stepUs), 0), steps - 1)
      counts[step] = (counts[step] ?? 0) + 1
      total++
    },
    quantile(share) {
      if (total === 0) return NaN
      let left = Math.ceil(total * share)
      const step = counts.findIndex((count) => (left -= count) <= 0)
      return ((step + 0.5) * stepUs) / 1_000
    },
    clear() {
      counts.fill(0)
      total = 0
    },
  }
}
