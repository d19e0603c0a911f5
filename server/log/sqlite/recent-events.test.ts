import { describe, expect, test } from 'vitest'
import type { StoredEvent } from '@/protocol/event'
import { createRecentEvents, type RecentEvents, type RecentRequest } from './recent-events'

const epoch = 'e1'
const later = Date.now() + 3_600_000

function eventAt(offset: number, data = 'x'): StoredEvent {
  return { topic: 't', epoch, offset, type: 'message', data, time: 0 }
}

function holding(...offsets: number[]): RecentEvents {
  const recent = createRecentEvents()
  recent.add({ before: 0, events: offsets.map((offset) => eventAt(offset)), expiresAt: later })
  return recent
}

function offsetsAfter(
  recent: RecentEvents,
  offset: number,
  request: Partial<RecentRequest> & { head: RecentRequest['head'] },
): number[] | undefined {
  const all = { removed: 0, limit: 100, maxBytes: 1_000, ...request }
  return recent.after(offset, all)?.map((event) => event.offset)
}

describe('createRecentEvents', () => {
  test('has what was appended after an offset, across transactions', () => {
    const recent = holding(1, 2)

    recent.add({ before: 2, events: [eventAt(3)], expiresAt: later })

    const head = { epoch, offset: 3 }
    expect(offsetsAfter(recent, 0, { head })).toEqual([1, 2, 3])
    expect(offsetsAfter(recent, 2, { head })).toEqual([3])
    expect(offsetsAfter(recent, 3, { head })).toEqual([])
  })

  test('stops at the limits, but has one event at least', () => {
    const recent = holding(1, 2, 3)
    const head = { epoch, offset: 3 }

    expect(offsetsAfter(recent, 0, { head, limit: 2 })).toEqual([1, 2])
    expect(offsetsAfter(recent, 0, { head, maxBytes: 2 })).toEqual([1, 2])
    expect(offsetsAfter(recent, 0, { head, maxBytes: 0 })).toEqual([1])
  })

  test('knows nothing when another process has appended since, or before', () => {
    const recent = holding(5, 6)

    expect(offsetsAfter(recent, 4, { head: { epoch, offset: 7 } })).toBeUndefined()
    expect(offsetsAfter(recent, 4, { head: { epoch: 'e2', offset: 6 } })).toBeUndefined()
    expect(offsetsAfter(recent, 3, { head: { epoch, offset: 6 } })).toBeUndefined()
  })

  test('forgets what lies before a gap', () => {
    const recent = holding(1, 2)

    recent.add({ before: 4, events: [eventAt(5)], expiresAt: later })

    const head = { epoch, offset: 5 }
    expect(offsetsAfter(recent, 1, { head })).toBeUndefined()
    expect(offsetsAfter(recent, 4, { head })).toEqual([5])
  })

  test('does not have events that the log has removed, or that are too old', () => {
    const recent = holding(1, 2)
    const head = { epoch, offset: 3 }

    expect(offsetsAfter(recent, 0, { head: { epoch, offset: 2 }, removed: 1 })).toBeUndefined()

    recent.add({ before: 2, events: [eventAt(3)], expiresAt: Date.now() - 1 })

    expect(offsetsAfter(recent, 2, { head })).toBeUndefined()
  })

  test('is bounded', () => {
    const recent = createRecentEvents()
    const events = Array.from({ length: 40 }, (_, index) => eventAt(index + 1, 'x'.repeat(100_000)))
    recent.add({ before: 0, events, expiresAt: later })

    recent.add({ before: 40, events: [eventAt(41, 'x'.repeat(300_000))], expiresAt: later })

    const head = { epoch, offset: 41 }
    expect(offsetsAfter(recent, 39, { head })).toBeUndefined()
    expect(offsetsAfter(recent, 40, { head })).toEqual([41])
  })
})
