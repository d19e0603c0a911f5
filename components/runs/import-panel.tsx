/** How an import stands: a bar, the number of rows, and a button. */
import type { ReactNode } from 'react'
import { Button } from '@/components/ui/button'
import { formatCount } from '@/components/ui/format'
import styles from './import-panel.module.css'

export interface ImportPanelProps {
  status: 'running' | 'done' | 'failed' | 'stopped' | 'lost' | 'unknown'
  /** The page has no connection, so the numbers may be old. */
  isAway: boolean
  done: number
  total: number
  newest: string | undefined
  /** The server was asked to start or to stop. */
  isAsking: boolean
  onStart: () => void
  onStop: () => void
}

const words: Record<ImportPanelProps['status'], string> = {
  running: 'Running',
  done: 'Done',
  failed: 'Failed',
  stopped: 'Stopped',
  lost: 'Lost: the server was restarted',
  unknown: 'Not started',
}

export function ImportPanel(props: ImportPanelProps): ReactNode {
  const { status, isAway, done, total, newest, isAsking, onStart, onStop } = props
  const isRunning = status === 'running'

  return (
    <section className={styles.panel} aria-label="Import">
      <div className={styles.head}>
        <output className={styles.status} data-status={status}>
          {isAway ? 'Reconnecting…' : words[status]}
        </output>
        <span className={styles.count}>
          {formatCount(done)} of {formatCount(total)} rows
        </span>
      </div>
      <progress className={styles.bar} max={total} value={done} aria-label="Rows written" />
      <div className={styles.foot}>
        <span className={styles.newest}>{isRunning && newest}</span>
        {isRunning ? (
          <Button onClick={onStop} inactive={isAsking}>
            Stop
          </Button>
        ) : (
          <Button look="primary" onClick={onStart} inactive={isAsking}>
            {status === 'unknown' ? 'Start the import' : 'Start again'}
          </Button>
        )}
      </div>
    </section>
  )
}
