import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createLimits } from './limits'

describe('openStream', () => {
  test('limits the open streams of each client separately', () => {
    const { openStream } = createLimits({ streams: 2, publishesPerMinute: 0 })

    const ends = [openStream(() => 'a'), openStream(() => 'a')]

    expect(openStream(() => 'a')).toBeUndefined()
    expect(openStream(() => 'b')).toBeDefined()
    ends[0]?.()
    expect(openStream(() => 'a')).toBeDefined()
    expect(openStream(() => 'a')).toBeUndefined()
  })

  test('a stream that ends twice counts once', () => {
    const { openStream } = createLimits({ streams: 2, publishesPerMinute: 0 })
    const [first] = [openStream(() => 'a'), openStream(() => 'a')]

    first?.()
    first?.()

    expect(openStream(() => 'a')).toBeDefined()
    expect(openStream(() => 'a')).toBeUndefined()
  })

  test('0 means no limit, and nobody is asked for their address', () => {
    const { openStream } = createLimits({ streams: 0, publishesPerMinute: 0 })
    const clientOf = vi.fn<() => string>(() => 'a')

    const ends = Array.from({ length: 1_000 }, () => openStream(clientOf))

    expect(ends.every(Boolean)).toBe(true)
    expect(clientOf).not.toHaveBeenCalled()
  })
})

describe('takePublish', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('limits the publishes of a client per minute, and says when the next one is allowed', async () => {
    const { takePublish } = createLimits({ streams: 0, publishesPerMinute: 2 })

    expect([await takePublish('a'), await takePublish('a')]).toEqual([undefined, undefined])
    vi.advanceTimersByTime(10_500)
    expect(await takePublish('a')).toBe(50)
    expect(await takePublish('b')).toBeUndefined()

    vi.advanceTimersByTime(49_500)
    expect(await takePublish('a')).toBeUndefined()
  })

  test('refused attempts do not extend the wait', async () => {
    const { takePublish } = createLimits({ streams: 0, publishesPerMinute: 1 })
    await takePublish('a')

    for (let second = 0; second < 60; second++) {
      expect(await takePublish('a')).toBe(60 - second)
      vi.advanceTimersByTime(1_000)
    }

    expect(await takePublish('a')).toBeUndefined()
  })

  test('0 means no limit', async () => {
    const { takePublish } = createLimits({ streams: 0, publishesPerMinute: 0 })

    for (let n = 0; n < 1_000; n++) expect(await takePublish('a')).toBeUndefined()
  })
})
