'use client'
/** What the reader looks for, and the events that have it. A text counts once nothing more is typed for a moment. */
import { useEffect, useMemo, useState } from 'react'
import type { TopicEvent } from 'next-sse/react'
import { createMatching, patternOf } from './matching'

export interface Filter {
  /** As it stands in the field. */
  text: string
  setText: (text: string) => void
  /** As it counts; empty when nothing is filtered. */
  query: string
  /** What to mark. */
  pattern: RegExp | undefined
  events: readonly TopicEvent[]
}

export function useFilter(all: readonly TopicEvent[]): Filter {
  const [text, setText] = useState('')
  const query = useDebounced(text, 100)
  const pattern = useMemo(() => patternOf(query), [query])
  const match = useMemo(() => createMatching(query), [query])
  const events = useMemo(() => match(all), [match, all])
  return { text, setText, query, pattern, events }
}

/** The value once it has not changed for a while. An empty value counts at once. */
function useDebounced(value: string, delayMs: number): string {
  const [settled, setSettled] = useState(value)

  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), delayMs)
    return () => clearTimeout(timer)
  }, [value, delayMs])

  return value === '' ? '' : settled
}
