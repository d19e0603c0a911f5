import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { createEventPicker, placeOf } from './event-picker'

function eventOf(seq: number): { seq: number } {
  return { seq }
}

function isOdd(event: { seq: number }): { seq: number } | undefined {
  return event.seq % 2 === 1 ? event : undefined
}

describe('createEventPicker', () => {
  test('picks what a filter of the whole list would, however the list goes on', () => {
    const change = fc.record({ come: fc.nat(9), gone: fc.nat(9), isAnew: fc.boolean() })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const picker = createEventPicker(isOdd)
        let events: { seq: number }[] = []

        for (const { come, gone, isAnew } of changes) {
          const before = isAnew ? 0 : (events.at(-1)?.seq ?? 0)
          const more = Array.from({ length: come }, (_, index) => eventOf(before + index + 1))
          events = isAnew ? more : [...events, ...more].slice(gone)

          expect(picker(events)).toEqual(events.filter(isOdd))
        }
      }),
    )
  })

  test('looks at each event once, and answers with the same array while nothing changes', () => {
    const pick = vi.fn<typeof isOdd>(isOdd)
    const picker = createEventPicker(pick)
    const events = [1, 2, 3, 4, 5].map(eventOf)

    const first = picker(events.slice(0, 3))
    expect(picker(events.slice(0, 3))).toBe(first)
    expect(picker(events.slice(0, 4))).toBe(first)
    expect(picker(events.slice(1))).toEqual([eventOf(3), eventOf(5)])

    expect(pick.mock.calls.map(([{ seq }]) => seq)).toEqual([1, 2, 3, 4, 5])
  })
})

test('placeOf tells how many events are older', () => {
  const events = [2, 4, 9].map(eventOf)

  expect([1, 2, 3, 9, 10].map((seq) => placeOf(events, seq))).toEqual([0, 0, 1, 2, 3])
})
