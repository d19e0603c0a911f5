/** Sixty seconds as bars, the last one in full colour. An unknown second is a dot, a quiet one a very low bar. */
import type { ReactNode } from 'react'
import { peakOf, type Counts } from './event-rate'
import styles from './stream-stats.module.css'

const pitch = 4
const barWidth = 3
const height = 36
/** Less than the height, which leaves space below the words above. */
const highestBar = 32
/** The bar of a quiet second. */
const quietBar = 1.5
/** The smallest number of events the full height stands for, so that one event does not look like many. */
const minScale = 4

export function Sparkline({ counts }: { counts: Counts }): ReactNode {
  const scale = Math.max(minScale, peakOf(counts) ?? 0)
  const marks = counts.map((count, index) => {
    const x = index * pitch + barWidth / 2
    if (count === undefined) return { dot: `M${x} ${height - 1.5}h0`, bar: '' }
    const rise = Math.max(quietBar, (highestBar * count) / scale)
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
