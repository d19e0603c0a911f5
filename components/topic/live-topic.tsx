'use client'
/** A topic and its stream: the name, the status and the controls in the page's header, the events below. */
import type { ReactNode } from 'react'
import { useTopics } from 'next-sse/react'
import { EventList } from '@/components/list/event-list'
import { StatusPill } from '@/components/stream/status-pill'
import { StreamControls } from '@/components/stream/stream-controls'
import { streamWords } from '@/components/stream/stream-words'
import { SiteHeader } from '@/components/ui/site-header'
import styles from './live-topic.module.css'
import { useStreamMeter } from './stream-meter'
import { StreamStats } from './stream-stats'
import { useUnreadTitle } from './use-unread-title'

/** How many earlier events the page starts with. */
const last = 100
/** How many events the page keeps: with fewer, a busy topic would leave no time to look back. */
const maxEvents = 10_000

interface LiveTopicProps {
  topic: string
  /** Shown instead of the events when the browser runs no script. */
  children: ReactNode
}

export function LiveTopic({ topic, children }: LiveTopicProps): ReactNode {
  const meter = useStreamMeter()
  const countUnread = useUnreadTitle()
  const topics = [topic]
  const stream = useTopics(topics, {
    last,
    maxEvents,
    share: 'tabs',
    onEvent(event) {
      meter.count(event)
      countUnread()
    },
  })
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
        <StreamStats stream={stream} meter={meter} />
        <EventList stream={stream} topics={topics} words={words} />
      </main>
    </>
  )
}
