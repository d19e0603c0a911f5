import { describe, expect, test } from 'vitest'
import { createEventRate, noCounts, peakOf } from './event-rate'

describe('createEventRate', () => {
  test('knows nothing of the time before a connection', () => {
    const rate = createEventRate()

    expect(rate.read(100_000)).toEqual(noCounts)
  })

  test('counts the events of each second, except the current one', () => {
    const rate = createEventRate()
    rate.connect(0)

    for (const at of [58_000, 58_999, 59_000, 60_000]) rate.count(at)

    const counts = rate.read(60_500)
    expect(counts).toHaveLength(60)
    expect(counts.slice(-3)).toEqual([0, 2, 1])
  })

  test('a second without a connection is unknown, and so is a partly connected one', () => {
    const rate = createEventRate()
    rate.connect(0)
    rate.disconnect(55_500)
    rate.connect(57_200)

    const counts = rate.read(60_000)

    expect(counts.slice(-6)).toEqual([0, undefined, undefined, undefined, 0, 0])
  })

  test('events of a partly connected second are counted', () => {
    const rate = createEventRate()
    rate.connect(0)
    rate.count(59_100)
    rate.disconnect(59_500)

    expect(rate.read(60_000).at(-1)).toBe(1)
    expect(rate.read(61_000).at(-1)).toBeUndefined()
  })

  test('connecting or disconnecting twice changes nothing', () => {
    const rate = createEventRate()
    rate.connect(0)
    rate.connect(5_000)
    rate.disconnect(58_000)
    rate.disconnect(59_000)

    expect(rate.read(60_000).slice(-3)).toEqual([0, undefined, undefined])
  })

  test('forgets everything older than a minute', () => {
    const rate = createEventRate()
    rate.connect(0)
    rate.count(500)
    rate.disconnect(2_000)
    rate.connect(3_000)

    expect(peakOf(rate.read(60_000))).toBe(1)
    expect(rate.read(61_000).slice(0, 3)).toEqual([0, undefined, 0])
    expect(rate.read(120_000)).toEqual(noCounts.map(() => 0))
  })
})

describe('peakOf', () => {
  test('is the highest known count', () => {
    expect(peakOf([undefined, 2, 7, 0])).toBe(7)
    expect(peakOf(noCounts)).toBeUndefined()
  })
})
