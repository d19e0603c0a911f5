import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createPacedFlush, type Slices } from './paced-flush'

/** Simulates work that blocks the event loop, by moving the fake clock forward. */
function work(ms: number): void {
  vi.setSystemTime(Date.now() + ms)
  vi.advanceTimersByTime(0)
}

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

describe('createPacedFlush', () => {
  test('flushes at once when the last flush was long ago', async () => {
    const flush = vi.fn<() => Promise<void>>(() => Promise.resolve())
    const paced = createPacedFlush(flush)

    paced.request()
    await vi.advanceTimersByTimeAsync(0)
    await vi.advanceTimersByTimeAsync(1_000)
    paced.request()
    await vi.advanceTimersByTimeAsync(0)

    expect(flush).toHaveBeenCalledTimes(2)
  })

  test('several requests in one turn cause one flush', async () => {
    const flush = vi.fn<() => Promise<void>>(() => Promise.resolve())
    const paced = createPacedFlush(flush)

    for (let n = 0; n < 100; n++) paced.request()
    await vi.advanceTimersByTimeAsync(10)

    expect(flush).toHaveBeenCalledOnce()
  })

  test('after a flush that took 40 ms, the next one begins 40 ms later', async () => {
    const begunAt: number[] = []
    const paced = createPacedFlush(async () => {
      begunAt.push(performance.now())
      await new Promise((resolve) => setTimeout(resolve, 40))
    })

    paced.request()
    for (let n = 0; n < 40; n++) {
      await vi.advanceTimersByTimeAsync(5)
      paced.request()
    }

    const distances = begunAt.slice(1).map((at, index) => at - (begunAt[index] ?? 0))
    expect(Math.min(...distances)).toBeGreaterThanOrEqual(80)
    expect(Math.max(...distances)).toBeLessThan(90)
  })

  test('a flush that waited long for the log delays the next by a second at most', async () => {
    const begunAt: number[] = []
    const paced = createPacedFlush(async () => {
      begunAt.push(performance.now())
      await new Promise((resolve) => setTimeout(resolve, begunAt.length === 1 ? 60_000 : 1))
    })

    paced.request()
    await vi.advanceTimersByTimeAsync(60_000)
    paced.request()
    await vi.advanceTimersByTimeAsync(2_000)

    expect(begunAt).toHaveLength(2)
    expect((begunAt[1] ?? 0) - (begunAt[0] ?? 0)).toBeLessThanOrEqual(61_010)
  })

  test('never runs two flushes at once, whenever they are requested', async () => {
    let running = 0
    let most = 0
    const paced = createPacedFlush(async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setTimeout(resolve, 7.5))
      running--
    })

    for (let n = 0; n < 500; n++) {
      paced.request()
      await vi.advanceTimersByTimeAsync(n % 3 === 0 ? 1 : 0.3)
    }
    await vi.advanceTimersByTimeAsync(100)

    expect(most).toBe(1)
  })

  test('a request during a flush causes another flush', async () => {
    let flushes = 0
    const paced = createPacedFlush(async () => {
      if (++flushes === 1) paced.request()
    })

    paced.request()
    await vi.advanceTimersByTimeAsync(100)

    expect(flushes).toBe(2)
  })

  test('leaves no timer when there is nothing to flush, or after stop', async () => {
    const paced = createPacedFlush(() => new Promise((resolve) => setTimeout(resolve, 40)))
    paced.request()
    await vi.advanceTimersByTimeAsync(200)
    expect(vi.getTimerCount()).toBe(0)

    paced.request()
    await vi.advanceTimersByTimeAsync(50)
    paced.request()
    paced.stop()

    expect(vi.getTimerCount()).toBe(0)
  })

  test('wakes every stream, spread over several turns of the event loop', async () => {
    const woken: number[] = []
    let slices: Slices | undefined
    const paced = createPacedFlush((inSlices) => {
      slices = inSlices
      return Promise.resolve()
    })
    paced.request()
    await vi.advanceTimersByTimeAsync(0)
    const everyone = Array.from({ length: 1_000 }, (_, index) => index)
    let turns = 0
    const count = setInterval(() => turns++, 1)

    const done = slices?.(everyone, (index) => {
      woken.push(index)
      work(1)
    })
    await vi.advanceTimersByTimeAsync(2_000)
    await done
    clearInterval(count)

    expect(woken).toEqual(everyone)
    expect(turns).toBeGreaterThan(50)
  })

  test('wakes many streams within a few turns, even when other work makes every turn long', async () => {
    vi.useRealTimers()
    let turns = 0
    let isOver = false
    const hog = (): void => {
      if (isOver) return
      turns++
      const until = performance.now() + 15
      while (performance.now() < until);
      setImmediate(hog)
    }
    const sleepers = Array.from({ length: 1_000 }, (_, index) => index)
    const woken: number[] = []
    const done = new Promise<void>((resolve) => {
      const paced = createPacedFlush(async (inSlices) => {
        hog()
        await inSlices(sleepers, (sleeper) => woken.push(sleeper))
        isOver = true
        resolve()
      })
      paced.request()
    })

    await done

    expect(woken).toEqual(sleepers)
    expect(turns).toBeLessThan(20)
  })
})
