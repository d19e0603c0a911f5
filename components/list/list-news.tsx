'use client'
/** Tells those who can't see the list what came: one sentence, and then none for ten seconds, however much comes. */
import { useEffect, useEffectEvent, useRef, useState, type ReactNode } from 'react'
import type { TopicEvent } from 'next-sse/react'
import a11y from '@/components/ui/a11y.module.css'
import { formatCount, nounFor } from '@/components/ui/format'

/** What comes together is told together. */
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
      {/* Another element each time: the same sentence twice would be silent. */}
      <span key={news.seq}>{news.sentence}</span>
    </output>
  )
}
