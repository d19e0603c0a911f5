/** A text in which what the filter looks for is marked. */
import type { ReactNode } from 'react'
import { splitMatches } from './matching'

interface MarkedTextProps {
  text: string
  pattern: RegExp | undefined
}

export function MarkedText({ text, pattern }: MarkedTextProps): ReactNode {
  // Where nothing is looked for there is one text node, and nothing to compare.
  if (!pattern) return text
  return splitMatches(text, pattern).map(({ text: part, isMatch }, index) =>
    isMatch ? <mark key={index}>{part}</mark> : part,
  )
}
