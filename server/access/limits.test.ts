import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createLimits } from './limits'

describe('openStream', () => {
  test('lets a client have so many at once, and another client as many', () => {
    const { openStream } = createLimits({ streams: 2, publishesPerMinute: 0 })

    const ends = [openStream('a'), openStream('a')]

    expect(openStream('a')).toBeUndefined()
    expect(openStream('b')).toBeDefined()
    ends[0]?.()
    expect(openStream('a')).toBeDefined()
    expect(openStream('a')).toBeUndefined()
  })

  test('a stream that ends twice counts once', () => {
    const { openStream } = createLimits({ streams: 2, publishesPerMinute: 0 })
    const [first] = [openStream('a'), openStream('a')]

    first?.()
    first?.()

    expect(openStream('a')).toBeDefined()
    expect(openStream('a')).toBeUndefined()
  })

  test('with 0 there is no end of them', () => {
    const { openStream } = createLimits({ streams: 0, publishesPerMinute: 0 })

    const ends = Array.from({ length: 1_000 }, () => openStream('a'))

    expect(ends.every(Boolean)).toBe(true)
  })
})

describe('takePublish', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('lets a client publish so often in a minute, and says when it may again', async () => {
    const { takePublish } = createLimits({ streams: 0, publishesPerMinute: 2 })

    expect([await takePublish('a'), await takePublish('a')]).toEqual([undefined, undefined])
    vi.advanceTimersByTime(10_500)
    expect(await takePublish('a')).toBe(50)
    expect(await takePublish('b')).toBeUndefined()

    vi.advanceTimersByTime(49_500)
    expect(await takePublish('a')).toBeUndefined()
  })

  test('asking in vain does not put it off', async () => {
    const { takePublish } = createLimits({ streams: 0, publishesPerMinute: 1 })
    await takePublish('a')

    for (let second = 0; second < 60; second++) {
      expect(await takePublish('a')).toBe(60 - second)
      vi.advanceTimersByTime(1_000)
    }

    expect(await takePublish('a')).toBeUndefined()
  })

  test('with 0 there is no end of them', async () => {
    const { takePublish } = createLimits({ streams: 0, publishesPerMinute: 0 })

    for (let n = 0; n < 1_000; n++) expect(await takePublish('a')).toBeUndefined()
  })
})
