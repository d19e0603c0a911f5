'use client'
/** A stream of topics in figures: events a second, delay, events received, and how long it has been open. Renders once a second. */
import { memo, useEffect, useLayoutEffect, useState, type ReactNode } from 'react'
import type { UseTopics } from 'next-sse/react'
import { formatCount, formatStopwatch, nounFor } from '@/components/ui/format'
import { peakOf } from './event-rate'
import { Sparkline } from './sparkline'
import { noReading, type StreamMeter } from './stream-meter'
import styles from './stream-stats.module.css'

interface StreamStatsProps {
  stream: UseTopics
  /** Must get the events of `stream`. */
  meter: StreamMeter
}

export function StreamStats({ stream, meter }: StreamStatsProps): ReactNode {
  // In a layout effect, so that it runs before the first event of a new connection.
  useLayoutEffect(() => meter.follow(stream), [meter, stream])
  return <Figures meter={meter} tabs={stream.tabs} />
}

type FiguresProps = Pick<StreamStatsProps, 'meter'> & Pick<UseTopics, 'tabs'>

/** A stream may change sixty times a second. `memo` keeps the figures at one render a second. */
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
            {openForMs === undefined ? '–' : formatStopwatch(openForMs)}
            {reconnects > 0 && (
              <small>
                {' '}
                {figure(reconnects)} {nounFor(reconnects, 'reconnect')}
              </small>
            )}
          </dd>
        </div>
        {tabs !== undefined && (
          <div className={styles.tabs}>
            <dt>Shared by</dt>
            <dd>
              {figure(tabs)}
              <small> {nounFor(tabs, 'tab')}</small>
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
    let timer = setTimeout(tick, msToNextSecond())
    function tick(): void {
      setReading(meter.read())
      timer = setTimeout(tick, msToNextSecond())
    }
    return () => clearTimeout(timer)
  }, [meter])

  return reading
}

/** Aims a little late: a timer that fires early would read the same second twice. */
function msToNextSecond(): number {
  return 1_020 - (performance.now() % 1_000)
}

/** As `12,408`; a dash when it is unknown. */
function figure(value: number | undefined): string {
  return value === undefined ? '–' : formatCount(value)
}
