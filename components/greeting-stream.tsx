'use client'
/** The greeting stream at work: where it stands, its controls, and its events on one line. */
import type { ReactNode } from 'react'
import { useEventSource } from '@/hooks/use-event-source'
import { EventTape } from './event-tape'
import styles from './greeting-stream.module.css'
import { isRunning, phaseOf } from './phase'
import { StatusPill } from './status-pill'
import { StreamControls } from './stream-controls'

export function GreetingStream(): ReactNode {
  const stream = useEventSource('/events')
  const phase = phaseOf(stream)

  return (
    <div className={styles.stream}>
      <div className={styles.deck}>
        <StatusPill phase={phase} />
        <code>GET /events</code>
        <div className={styles.controls}>
          <StreamControls
            running={isRunning(phase)}
            empty={stream.events.length === 0}
            onStart={() => stream.open({ from: 'start' })}
            onStop={stream.close}
            onClear={stream.clear}
          />
        </div>
      </div>
      <EventTape stream={stream} />
    </div>
  )
}
