'use client'
/** What a stream of topics does, in figures: how much comes, how late, how much came, for how long. Renders once a second. */
import { memo, useEffect, useLayoutEffect, useState, type ReactNode } from 'react'
import type { UseTopics } from 'next-sse/react'
import { formatCount, formatStopwatch, nounFor } from '@/components/ui/format'
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
  return value === undefined ? '–' : formatCount(value)
}
