'use client'
/** A topic at work: in the page's header its name, where its stream stands, and the controls; below, its events. */
import type { ReactNode } from 'react'
import { useTopics } from '@/hooks/use-topics'
import { EmptyNote } from './empty-note'
import { EventItem } from './event-item'
import { EventTape } from './event-tape'
import styles from './live-topic.module.css'
import { SiteHeader } from './site-header'
import { StatusPill } from './status-pill'
import { StreamControls } from './stream-controls'
import { streamWords } from './stream-words'

/** How many of the events before now a page begins with. */
const last = 100

interface LiveTopicProps {
  topic: string
  /** Stands in the place of the events where nothing can stream. */
  children: ReactNode
}

export function LiveTopic({ topic, children }: LiveTopicProps): ReactNode {
  const stream = useTopics([topic], { last })
  const words = streamWords(stream, 'topic')

  return (
    <>
      <SiteHeader>
        <span className={styles.slash} aria-hidden="true">
          /
        </span>
        <h1 className={styles.topic} title={topic}>
          {topic}
        </h1>
        <div className={styles.status}>
          <StatusPill stream={stream} words={words} />
        </div>
        <div className={styles.controls}>
          <StreamControls stream={stream} />
        </div>
      </SiteHeader>
      <main className={styles.events}>
        {children}
        <EventTape
          look="dense"
          stream={stream}
          words={words}
          whenEmpty={<EmptyNote stream={stream} words={words} />}
          renderEvent={({ type, id, data, time }) => (
            <EventItem type={type} id={id} text={data} time={time} />
          )}
        />
      </main>
    </>
  )
}
