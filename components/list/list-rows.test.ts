import { describe, expect, test } from 'vitest'
import type { GapMark, TopicEvent } from 'next-sse/react'
import { listRows, newFromOf } from './list-rows'

function eventOf(seq: number): TopicEvent {
  return { seq, topic: 't', type: 'message', data: '', id: `e.${seq}`, time: 0, receivedAt: 0 }
}

function gapBefore(beforeSeq: number): GapMark {
  return { beforeSeq, reason: 'trimmed', from: `e.${beforeSeq}`, oldest: null, topics: [] }
}

/** The rows, one after the other. */
function drawn(seqs: number[], gaps: number[]): string {
  const rows = listRows(seqs.map(eventOf), gaps.map(gapBefore))
  return Array.from({ length: rows.count }, (_, index) => {
    const row = rows.at(index)
    return row?.event ? row.event.seq : `gap ${row?.gap?.beforeSeq}`
  }).join(', ')
}

describe('listRows', () => {
  test('puts each gap before its event', () => {
    expect(drawn([1, 2, 3, 4], [3])).toBe('1, 2, gap 3, 3, 4')
    expect(drawn([1, 2], [1, 2, 2, 3])).toBe('gap 1, 1, gap 2, gap 2, 2, gap 3')
    expect(drawn([], [1])).toBe('gap 1')
  })

  test('leaves out gaps between dropped events, and keeps gaps between filtered ones', () => {
    expect(drawn([5, 6], [2, 5])).toBe('gap 5, 5, 6')
    expect(drawn([2, 9], [4])).toBe('2, gap 4, 9')
  })

  test('finds the row of an event, and none for an event that is not in the list', () => {
    const rows = listRows([2, 4, 9].map(eventOf), [2, 5].map(gapBefore))

    expect([2, 4, 9].map(rows.indexOf)).toEqual([1, 2, 4])
    expect([1, 3, 10].map(rows.indexOf)).toEqual([undefined, undefined, undefined])
    expect(rows.at(4)?.eventIndex).toBe(2)
    expect(rows.at(5)).toBeUndefined()
    expect(rows.at(-1)).toBeUndefined()
  })
})

/** Events that were received at these times. */
function eventsAt(...times: number[]): TopicEvent[] {
  return times.map((receivedAt, index) => ({ ...eventOf(index + 1), receivedAt }))
}

describe('newFromOf', () => {
  test('events of the last two seconds are new', () => {
    expect(newFromOf(eventsAt(0, 5_000, 5_500, 7_200))).toBe(3)
    expect(newFromOf(eventsAt(9_000))).toBe(1)
  })

  test('no event is new while more than five come in a second', () => {
    expect(newFromOf(eventsAt(0, 100, 200, 300, 400, 500, 600))).toBe(Infinity)
    expect(newFromOf([])).toBe(Infinity)
  })
})
