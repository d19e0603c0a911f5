/** Under the list: what the stream does now, whether older events were dropped, and whether the list follows the newest. */
import type { ReactNode } from 'react'
import type { Stream } from '@/components/stream/stream'
import { StreamTail } from '@/components/stream/stream-tail'
import type { StreamWords } from '@/components/stream/stream-words'
import { Button } from '@/components/ui/button'
import { formatCount } from '@/components/ui/format'
import { DownIcon } from '@/components/ui/icons'
import { SecondsSince } from '@/components/ui/seconds'
import styles from './list-foot.module.css'

interface ListFootProps {
  stream: Stream
  words: StreamWords
  isFollowing: boolean
  /** How many new events the reader has not seen. */
  unseen: number
  onFollow: () => void
  onHold: () => void
}

export function ListFoot(props: ListFootProps): ReactNode {
  const { stream, words, isFollowing, unseen, onFollow, onHold } = props
  return (
    <div className={styles.foot}>
      {unseen > 0 && (
        <button type="button" className={styles.more} onClick={onFollow}>
          <DownIcon />
          {formatCount(unseen, 9_999)} new
        </button>
      )}
      <StreamTail
        stream={stream}
        words={words}
        lastSign={
          <span className={styles.lastSign}>
            <SecondsSince moment={stream.lastSeenAt ?? 0} say={lastSignText} />
          </span>
        }
      />
      {stream.dropped > 0 && (
        <p className={styles.kept}>Newest {formatCount(stream.events.length)} kept</p>
      )}
      <Button look="quiet" onClick={isFollowing ? onHold : onFollow}>
        <DownIcon />
        {/* In one element: beside the icon, the space between the words would be lost. */}
        <span>
          {isFollowing ? 'Following' : 'Follow'}
          <span className={styles.newest}> newest</span>
        </span>
      </Button>
    </div>
  )
}

/** Says nothing for the first ten seconds: the server pings, so a live stream is rarely silent for longer. */
function lastSignText(seconds: number): string | null {
  return seconds < 10 ? null : `; last sign of life ${seconds} s ago`
}
