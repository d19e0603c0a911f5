import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createServerClock } from './server-clock'

beforeEach(() => {
  vi.useFakeTimers({ now: 100_000 })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('createServerClock', () => {
  test('knows nothing before it has heard a time', () => {
    expect(createServerClock().offsetMs()).toBeUndefined()
  })

  test('the quickest of the last eight tells the clocks apart', () => {
    const clock = createServerClock()

    for (const delayMs of [40, 3, 80]) clock.hear(90_000 - delayMs)
    expect(clock.offsetMs()).toBe(10_003)

    for (let n = 0; n < 8; n++) clock.hear(95_000)
    expect(clock.offsetMs()).toBe(5_000)
  })

  test('a server ahead of this computer gives a negative offset', () => {
    const clock = createServerClock()

    clock.hear(160_000)

    expect(clock.offsetMs()).toBe(-60_000)
  })
})
