/** Sixty seconds as bars, the last one in full colour. A second that nobody knows of is a dot above the ground, not a bar of no height. */
import type { ReactNode } from 'react'
import { peakOf, type Counts } from './event-rate'
import styles from './stream-stats.module.css'

const pitch = 4
const barWidth = 3
const height = 36
/** The highest bar leaves air to the words above. */
const highest = 32
/** That nothing came is seen to be known. */
const ground = 1.5
/** So that one event does not look like many. */
const leastScale = 4

export function Sparkline({ counts }: { counts: Counts }): ReactNode {
  const scale = Math.max(leastScale, peakOf(counts) ?? 0)
  const marks = counts.map((count, index) => {
    const x = index * pitch + barWidth / 2
    if (count === undefined) return { dot: `M${x} ${height - 1.5}h0`, bar: '' }
    const rise = Math.max(ground, (highest * count) / scale)
    return { dot: '', bar: `M${x} ${height}v-${rise.toFixed(1)}` }
  })
  const bars = marks.map(({ bar }) => bar)

  return (
    <svg
      className={styles.sparkline}
      viewBox={`0 0 ${counts.length * pitch} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={describe(counts)}
    >
      <path className={styles.past} d={bars.slice(0, -1).join('')} />
      <path d={bars.at(-1)} />
      <path className={styles.unknown} d={marks.map(({ dot }) => dot).join('')} />
    </svg>
  )
}

function describe(counts: Counts): string {
  const unknown = counts.filter((count) => count === undefined).length
  const parts = [
    `${counts.at(-1) ?? 'unknown'} in the last second`,
    `at most ${peakOf(counts) ?? 'unknown'}`,
    ...(unknown > 0 ? [`unknown for ${unknown} s`] : []),
  ]
  return `Events a second in the last minute: ${parts.join(', ')}`
}
