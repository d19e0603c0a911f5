/** A text in which the matches of the filter are marked. */
import type { ReactNode } from 'react'
import { splitMatches } from './matching'

interface MarkedTextProps {
  text: string
  pattern: RegExp | undefined
}

export function MarkedText({ text, pattern }: MarkedTextProps): ReactNode {
  // Without a filter one text node is enough, which is the cheapest to update.
  if (!pattern) return text
  return splitMatches(text, pattern).map(({ text: part, isMatch }, index) =>
    isMatch ? <mark key={index}>{part}</mark> : part,
  )
}
