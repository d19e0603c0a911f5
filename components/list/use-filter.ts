'use client'
/** The reader's filter, and the events that match it. It takes effect when the reader stops typing for a moment. */
import { useEffect, useMemo, useState } from 'react'
import type { TopicEvent } from 'next-sse/react'
import { createMatching, patternOf } from './matching'

export interface Filter {
  /** The text in the field. */
  text: string
  setText: (text: string) => void
  /** The text that is in effect; empty when nothing is filtered. */
  query: string
  /** Finds the matches to mark. */
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

/** The value after it has not changed for a while. An empty value takes effect at once. */
function useDebounced(value: string, delayMs: number): string {
  const [debounced, setDebounced] = useState(value)

  useEffect(() => {
    const timer = setTimeout(() => setDebounced(value), delayMs)
    return () => clearTimeout(timer)
  }, [value, delayMs])

  return value === '' ? '' : debounced
}
