/** Marks a place where events may be missing. A gap is not an event, so this line stands between two lists and belongs to neither. */
import type { ReactNode } from 'react'
import type { Gap } from 'next-sse/react'
import { formatId } from '@/components/ui/format'
import styles from './gap-line.module.css'

interface GapLineProps {
  gap: Gap
  /** The stream's topics, if it reads topics. With several, the line names those that lack events. */
  topics?: readonly string[]
}

export function GapLine({ gap, topics = [] }: GapLineProps): ReactNode {
  const topicsWithGap = topics.length > 1 ? gap.topics : []
  return (
    <p className={styles.gap}>
      {/* As high as the text, which may wrap. */}
      <svg
        className={styles.tear}
        viewBox="0 0 18 36"
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        <path
          d="M9 0v9l-5 5 10 5-10 5 5 4v8"
          fill="none"
          stroke="currentColor"
          strokeWidth="2"
          strokeLinejoin="round"
          vectorEffect="non-scaling-stroke"
        />
      </svg>
      <span>
        <b>Gap{topicsWithGap.length > 0 && ` in ${topicsWithGap.join(', ')}`}</b> {sentenceFor(gap)}
      </span>
    </p>
  )
}

/** Says no number of events: offsets count the events of all topics. */
function sentenceFor({ reason, from, oldest }: Gap): string {
  if (reason !== 'trimmed') return 'The log was reset. Older events are gone.'
  const kept = oldest === null ? '' : ` and before ${formatId(oldest)}`
  return `Events after ${formatId(from)}${kept} are no longer kept.`
}
