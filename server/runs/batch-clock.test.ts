import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createBatchClock } from './batch-clock'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

describe('createBatchClock', () => {
  test('what is due within ten milliseconds comes together, and never early', () => {
    const clock = createBatchClock()
    const calls: [string, number][] = []
    const from = Math.ceil(performance.now() / 10) * 10
    const call = (name: string) => () => calls.push([name, Math.floor(performance.now() - from)])

    clock.at(from + 52, call('b'))
    clock.at(from + 41, call('a'))
    clock.at(from + 58, call('c'))
    vi.advanceTimersByTime(100)

    expect(calls.map(([name]) => name)).toEqual(['a', 'b', 'c'])
    expect(calls[0]?.[1]).toBeGreaterThanOrEqual(41)
    expect(calls[1]?.[1]).toBeGreaterThanOrEqual(52)
    expect(calls[2]?.[1]).toBe(calls[1]?.[1])
  })

  test('what is cancelled does not come, and no timer is left when all is done', () => {
    const clock = createBatchClock()
    const work = vi.fn<() => void>()

    clock.at(performance.now() + 50, work)()
    vi.advanceTimersByTime(100)

    expect(work).not.toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(0)
  })
})
