import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createEventRing } from './event-ring'

describe('createEventRing', () => {
  test('holds the newest, in order, and counts what gave way', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.nat(), { maxLength: 200 }),
        (size, all) => {
          const ring = createEventRing<number>(size)

          for (const item of all) ring.push(item)

          expect(ring.read()).toEqual({
            events: all.slice(-size),
            dropped: Math.max(0, all.length - size),
          })
        },
      ),
    )
  })

  test('reads the same array until something changed', () => {
    const ring = createEventRing<number>(2)
    ring.push(1)

    const first = ring.read()
    const again = ring.read()
    ring.push(2)
    const later = ring.read()

    expect(again).toBe(first)
    expect(later.events).not.toBe(first.events)
    expect(first.events).toEqual([1])
  })

  test('clear empties it, and its count', () => {
    const ring = createEventRing<number>(1)
    ring.push(1)
    ring.push(2)

    ring.clear()

    expect(ring.read()).toEqual({ events: [], dropped: 0 })
  })
})
