import { describe, expect, test } from 'vitest'
import type { TopicEvent } from 'next-sse/react'
import { createMatching, patternOf, splitMatches } from './matching'

function eventOf(seq: number, change: Partial<TopicEvent> = {}): TopicEvent {
  const event = { seq, topic: 't', type: 'message', data: '', time: 0, receivedAt: 0 }
  return { ...event, id: `k3f9.${seq}`, ...change }
}

describe('createMatching', () => {
  test('looks at type, data and the id as it is shown, ignoring case', () => {
    const events = [
      eventOf(1, { type: 'order.paid' }),
      eventOf(2, { data: 'Paid twice' }),
      eventOf(42),
      eventOf(43),
    ]
    const seqsOf = (text: string): number[] => createMatching(text)(events).map(({ seq }) => seq)

    expect(seqsOf('paid')).toEqual([1, 2])
    expect(seqsOf('4')).toEqual([42, 43])
    expect(seqsOf('k3f9')).toEqual([])
    expect(seqsOf('k3f9.43')).toEqual([43])
    expect(seqsOf('.')).toEqual([1])
  })

  test('returns the list itself for an empty text', () => {
    const events = [eventOf(1)]

    expect(createMatching('')(events)).toBe(events)
  })

  test('follows the list as events come and go, and starts again after a clear', () => {
    const match = createMatching('yes')
    const events = ['yes', 'no', 'yes', 'no', 'yes'].map((data, index) =>
      eventOf(index + 1, { data }),
    )

    expect(match(events.slice(0, 3)).map(({ seq }) => seq)).toEqual([1, 3])
    expect(match(events.slice(1, 5)).map(({ seq }) => seq)).toEqual([3, 5])
    expect(match(events.slice(1, 5))).toBe(match(events.slice(1, 5)))
    expect(match([])).toEqual([])
    expect(match(events.slice(4)).map(({ seq }) => seq)).toEqual([5])
  })
})

describe('splitMatches', () => {
  test('finds every match, and takes the text literally', () => {
    expect(splitMatches('a.b A.B axb', patternOf('a.b'))).toEqual([
      { text: 'a.b', isMatch: true },
      { text: ' ', isMatch: false },
      { text: 'A.B', isMatch: true },
      { text: ' axb', isMatch: false },
    ])
    expect(splitMatches('([', patternOf('(['))).toEqual([{ text: '([', isMatch: true }])
    expect(splitMatches('text', undefined)).toEqual([{ text: 'text', isMatch: false }])
  })
})
