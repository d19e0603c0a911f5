import { describe, expect, test } from 'vitest'
import { createDelayMeter, delayOf, noDelay } from './delay'

describe('createDelayMeter', () => {
  test('is the median of the newest delays, and the worst of the minute', () => {
    const meter = createDelayMeter()
    for (const delayMs of [80, 212, 63]) meter.add(delayMs)
    expect(meter.read(1_000)).toEqual({ medianMs: 80, worstMs: 212 })

    for (const delayMs of [9, 100, 20, 10]) meter.add(delayMs)

    expect(meter.read(2_000)).toEqual({ medianMs: 10, worstMs: 212 })
  })

  test('keeps its figures through a quiet second, and has none after a quiet minute', () => {
    const meter = createDelayMeter()
    meter.add(63)
    meter.read(1_000)

    expect(meter.read(60_999)).toEqual({ medianMs: 63, worstMs: 63 })
    expect(meter.read(61_000)).toEqual(noDelay)
  })
})

describe('delayOf', () => {
  test('subtracts the difference between the clocks', () => {
    const hour = 3_600_000

    expect(delayOf({ time: 1_000, receivedAt: 1_063 + hour }, hour)).toBe(63)
    expect(delayOf({ time: 1_000 + hour, receivedAt: 1_063 }, -hour)).toBe(63)
  })

  test('is never negative', () => {
    expect(delayOf({ time: 1_000, receivedAt: 1_002 }, 5)).toBe(0)
  })
})
