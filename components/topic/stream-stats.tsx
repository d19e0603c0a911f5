'use client'
/** What a stream of topics does, in figures: how much comes, how late, how much came, for how long. Renders once a second. */
import { memo, useEffect, useLayoutEffect, useState, type ReactNode } from 'react'
import type { UseTopics } from '@/hooks/use-topics'
import { peakOf } from './event-rate'
import { Sparkline } from './sparkline'
import { noReading, type StreamMeter } from './stream-meter'
import styles from './stream-stats.module.css'

interface StreamStatsProps {
  stream: UseTopics
  /** Must be told of the events of `stream`. */
  meter: StreamMeter
}

export function StreamStats({ stream, meter }: StreamStatsProps): ReactNode {
  // Before the first event of a new connection, not some time after it.
  useLayoutEffect(() => meter.follow(stream), [meter, stream])
  return <Figures meter={meter} tabs={stream.tabs} />
}

type FiguresProps = Pick<StreamStatsProps, 'meter'> & Pick<UseTopics, 'tabs'>

/** A stream may change sixty times a second: memo leaves the figures to their own clock. */
const Figures = memo(function Figures({ meter, tabs }: FiguresProps): ReactNode {
  const { counts, delay, received, openForMs, reconnects } = useReading(meter)

  return (
    <div className={styles.strip}>
      <dl className={styles.stats}>
        <div className={styles.rate}>
          <dt>Events / s</dt>
          <dd>
            {figure(counts.at(-1))}
            <small className={styles.extra}> peak {figure(peakOf(counts))}</small>
          </dd>
          <dd className={styles.chart}>
            <Sparkline counts={counts} />
          </dd>
        </div>
        <div className={styles.delay}>
          <dt>Delay to screen</dt>
          <dd>
            {figure(delay.medianMs)}
            <small> ms</small>
            <small className={styles.extra}> worst {figure(delay.worstMs)}</small>
          </dd>
        </div>
        <div className={styles.received}>
          <dt>Received</dt>
          <dd>{figure(received)}</dd>
        </div>
        <div className={styles.open}>
          <dt>Open for</dt>
          <dd>
            {openForMs === undefined ? '–' : clockOf(openForMs)}
            {reconnects > 0 && (
              <small>
                {' '}
                {figure(reconnects)} {reconnects === 1 ? 'reconnect' : 'reconnects'}
              </small>
            )}
          </dd>
        </div>
        {tabs !== undefined && (
          <div className={styles.tabs}>
            <dt>Shared by</dt>
            <dd>
              {figure(tabs)}
              <small> {tabs === 1 ? 'tab' : 'tabs'}</small>
            </dd>
          </div>
        )}
      </dl>
    </div>
  )
})

function useReading(meter: StreamMeter): ReturnType<StreamMeter['read']> {
  const [reading, setReading] = useState(noReading)

  useEffect(() => {
    let timer = setTimeout(tick, untilNextSecond())
    function tick(): void {
      setReading(meter.read())
      timer = setTimeout(tick, untilNextSecond())
    }
    return () => clearTimeout(timer)
  }, [meter])

  return reading
}

/** A little after it: timers that come early would read the same second twice. */
function untilNextSecond(): number {
  return 1_020 - (performance.now() % 1_000)
}

/** As `12,408`; a dash for what is not known. */
function figure(value: number | undefined): string {
  return value === undefined ? '–' : value.toLocaleString('en')
}

/** As `12:04`, or `1:12:04`. */
function clockOf(durationMs: number): string {
  const hours = Math.floor(durationMs / 3_600_000)
  const minutes = String(Math.floor(durationMs / 60_000) % 60)
  const rest = String(Math.floor(durationMs / 1_000) % 60).padStart(2, '0')
  return hours > 0 ? `${hours}:${minutes.padStart(2, '0')}:${rest}` : `${minutes}:${rest}`
}
