/** A gap, where events may be missing. It is no event, so it stands between two lists and is an item of neither. */
import type { ReactNode } from 'react'
import type { Gap } from 'next-sse/react'
import { formatId } from '@/components/ui/format'
import styles from './gap-line.module.css'

interface GapLineProps {
  gap: Gap
  /** Those of the stream, if it is of topics: which of them lack events goes without saying where there is one. */
  topics?: readonly string[]
}

export function GapLine({ gap, topics = [] }: GapLineProps): ReactNode {
  const lacking = topics.length > 1 ? gap.topics : []
  return (
    <p className={styles.gap}>
      {/* As high as the text needs, which may wrap. */}
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
        <b>Gap{lacking.length > 0 && ` in ${lacking.join(', ')}`}</b> {sentenceOn(gap)}
      </span>
    </p>
  )
}

/** Never a count: an offset counts the events of all topics. */
function sentenceOn({ reason, from, oldest }: Gap): string {
  if (reason !== 'trimmed') return 'The log was started anew. Older events are gone.'
  const kept = oldest === null ? '' : ` and before ${formatId(oldest)}`
  return `Events after ${formatId(from)}${kept} are no longer kept.`
}
