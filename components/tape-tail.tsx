/** The end of the tape: one sentence on what the stream does now, or how it ended. */
import type { ReactNode } from 'react'
import type { StreamState } from '@/hooks/event-source-client'
import { formatDuration } from './duration'
import styles from './event-tape.module.css'
import { offsetIn } from './offset-in'
import { isFault, phaseOf, type Phase } from './phase'
import { PhaseIcon } from './phase-icon'
import { SecondsSince } from './seconds-since'

const sentences: Record<Phase, (stream: StreamState) => string> = {
  connecting: () => 'Opening the stream',
  live: (stream) =>
    isCleared(stream) ? 'Cleared. New events appear here.' : 'Listening for the next event',
  stopped: ({ lastEventId }) =>
    lastEventId === '' ? 'Stopped' : `Stopped after ${offsetIn(lastEventId)}`,
  ended: (stream) => `The server ended the stream: ${countOf(stream)} in ${lengthOf(stream)}.`,
  refused: () => 'The server refused the stream. Press Start to try again.',
  unreachable: () => 'No answer. Press Start to try again.',
  lost: () => 'The connection was lost. Press Start to try again.',
}

export function TapeTail({ stream }: { stream: StreamState }): ReactNode {
  const phase = phaseOf(stream)
  const since = phase === 'live' && !isCleared(stream) ? lastSignOfLife(stream) : undefined

  return (
    <p className={styles.tail} data-phase={phase} data-fault={isFault(phase) || undefined}>
      <span className={styles.node}>
        <PhaseIcon phase={phase} />
      </span>
      <span className={styles.sentence}>{sentences[phase](stream)}</span>
      {since !== undefined && (
        <span className={styles.when}>
          <SecondsSince key={since} since={since} />
        </span>
      )}
    </p>
  )
}

function isCleared({ events, received }: StreamState): boolean {
  return events.length === 0 && received > 0
}

function lastSignOfLife({ events, openedAt = 0 }: StreamState): number {
  return Math.max(openedAt, events.at(-1)?.receivedAt ?? 0)
}

function countOf({ received }: StreamState): string {
  return `${received} ${received === 1 ? 'event' : 'events'}`
}

function lengthOf({ openedAt = 0, closedAt = openedAt }: StreamState): string {
  return formatDuration(closedAt - openedAt)
}
