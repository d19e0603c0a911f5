'use client'
/** Announces new events to screen readers: one sentence, at most every ten seconds. */
import { useEffect, useEffectEvent, useRef, useState, type ReactNode } from 'react'
import type { TopicEvent } from 'next-sse/react'
import a11y from '@/components/ui/a11y.module.css'
import { formatCount, nounFor } from '@/components/ui/format'

/** Events that come together are announced together. */
const gatherMs = 1_000
const quietMs = 10_000

interface ListNewsProps {
  newest: TopicEvent | undefined
}

export function ListNews({ newest }: ListNewsProps): ReactNode {
  const [news, setNews] = useState({ seq: 0, sentence: '' })
  const saidAt = useRef(-Infinity)
  const hasNews = newest !== undefined && newest.seq > news.seq

  const say = useEffectEvent(() => {
    if (!newest) return
    saidAt.current = performance.now()
    const count = newest.seq - news.seq
    const events = `${formatCount(count)} new ${nounFor(count, 'event')}`
    setNews({ seq: newest.seq, sentence: `${events}, latest ${newest.type}` })
  })

  useEffect(() => {
    if (!hasNews) return undefined
    const waitMs = Math.max(gatherMs, saidAt.current + quietMs - performance.now())
    const timer = setTimeout(() => say(), waitMs)
    return () => clearTimeout(timer)
  }, [hasNews])

  return (
    <output className={a11y.visuallyHidden}>
      {/* A new element each time: screen readers would not announce the same text twice. */}
      <span key={news.seq}>{news.sentence}</span>
    </output>
  )
}
