// @vitest-environment jsdom
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createRefreshSchedule, type RefreshedPart } from './refresh-schedule'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** A part whose refreshes take `ms` each, with the times at which they started. */
function createPart(
  ms = 0,
  key: unknown = {},
): RefreshedPart & { starts: number[]; running: number } {
  const part = {
    key,
    starts: new Array<number>(),
    running: 0,
    isReady: () => true,
    async refresh() {
      part.starts.push(performance.now())
      part.running++
      await new Promise((resolve) => setTimeout(resolve, ms))
      part.running--
    },
  }
  return part
}

function setHidden(hidden: boolean): void {
  vi.spyOn(document, 'hidden', 'get').mockReturnValue(hidden)
  document.dispatchEvent(new Event('visibilitychange'))
}

describe('createRefreshSchedule', () => {
  test('a slow page under five events a second is refreshed one refresh after another, and a last time after the last event', async () => {
    const schedule = createRefreshSchedule()
    const part = createPart(3_000)
    const scheduled = schedule.add(part)
    const beganAt = performance.now()

    for (let n = 0; n < 50; n++) {
      scheduled.mark()
      await vi.advanceTimersByTimeAsync(200)
    }
    await vi.advanceTimersByTimeAsync(10_000)

    expect(part.starts.map((at) => at - beganAt)).toEqual([50, 3_050, 6_050, 9_050, 12_050])
    scheduled.remove()
  })

  test('starts at most once a second, for all parts of the page together', async () => {
    const schedule = createRefreshSchedule()
    const parts = [createPart(), createPart()]
    const [one, other] = parts.map((part) => schedule.add(part))

    for (let n = 0; n < 30; n++) {
      const scheduled = n % 2 === 0 ? one : other
      scheduled?.mark()
      await vi.advanceTimersByTimeAsync(100)
    }
    await vi.advanceTimersByTimeAsync(2_000)

    const starts = parts.flatMap((part) => part.starts)
    expect(new Set(starts).size).toBe(4)
    for (const part of parts) expect(part.starts.length).toBeGreaterThanOrEqual(3)
    one?.remove()
    other?.remove()
  })

  test('parts with the same key are refreshed by one call', async () => {
    const schedule = createRefreshSchedule()
    const parts = [createPart(0, 'router'), createPart(0, 'router'), createPart(0, 'query')]
    const scheduled = parts.map((part) => schedule.add(part))
    await vi.advanceTimersByTimeAsync(0)
    scheduled[0]?.mark()
    await vi.advanceTimersByTimeAsync(1_000)

    for (const { mark } of scheduled) mark()
    await vi.advanceTimersByTimeAsync(1_000)

    const [one, other, query] = parts.map(({ starts }) => starts.length) as [number, number, number]
    expect(one + other).toBe(2)
    expect(query).toBe(1)
    for (const { remove } of scheduled) remove()
  })

  test('waits while the page is hidden, and starts when it is seen', async () => {
    const schedule = createRefreshSchedule()
    const part = createPart()
    const scheduled = schedule.add(part)
    setHidden(true)

    scheduled.mark()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(part.starts).toEqual([])
    setHidden(false)
    await vi.advanceTimersByTimeAsync(100)

    expect(part.starts).toHaveLength(1)
    scheduled.remove()
  })

  test('waits while a part is not ready, and starts when it looks again', async () => {
    const schedule = createRefreshSchedule()
    let isReady = false
    const part = { ...createPart(), isReady: () => isReady }
    const scheduled = schedule.add(part)

    scheduled.mark()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(part.starts).toEqual([])
    isReady = true
    scheduled.look()
    await vi.advanceTimersByTimeAsync(100)

    expect(part.starts).toHaveLength(1)
    scheduled.remove()
  })

  test('a delayed mark waits for its time, unless another comes first', async () => {
    const schedule = createRefreshSchedule()
    const part = createPart()
    const scheduled = schedule.add(part)
    const beganAt = performance.now()

    scheduled.mark(4_000)
    await vi.advanceTimersByTimeAsync(3_999)
    expect(part.starts).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    scheduled.mark(5_000)
    scheduled.mark()
    await vi.advanceTimersByTimeAsync(10_000)

    expect(part.starts.map((at) => at - beganAt)).toEqual([4_000, 5_000])
    scheduled.remove()
  })

  test('a refresh that fails is tried again, ever more slowly, and reported', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1)
    const reported = vi.fn<(cause: unknown) => void>()
    vi.stubGlobal('reportError', reported)
    const schedule = createRefreshSchedule()
    const starts: number[] = []
    const beganAt = performance.now()
    const part = createPart()
    part.refresh = async () => {
      starts.push(performance.now() - beganAt)
      if (starts.length < 4) throw new Error('No network.')
    }
    const scheduled = schedule.add(part)

    scheduled.mark()
    await vi.advanceTimersByTimeAsync(60_000)

    expect(starts).toEqual([50, 1_050, 3_050, 7_050])
    expect(reported).toHaveBeenCalledTimes(3)
    scheduled.remove()
    vi.unstubAllGlobals()
  })

  test('a refresh that never ends holds up the page for a minute', async () => {
    const schedule = createRefreshSchedule()
    const part = createPart()
    const refresh = vi.fn<() => Promise<void>>(() => new Promise(() => {}))
    part.refresh = refresh
    const scheduled = schedule.add(part)
    scheduled.mark()
    await vi.advanceTimersByTimeAsync(1_000)

    scheduled.mark()
    await vi.advanceTimersByTimeAsync(58_000)
    expect(refresh).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(1_100)

    expect(refresh).toHaveBeenCalledTimes(2)
    scheduled.remove()
    await vi.advanceTimersByTimeAsync(60_000)
  })

  test('whatever happens: one at a time, a second apart, none while hidden, and nothing that happened is left out', async () => {
    const happening = fc.oneof(
      fc.record({ part: fc.nat(2), delayMs: fc.constantFrom(0, 0, 700) }),
      fc.constantFrom('hide', 'show', 'a moment', 'a second'),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(happening, { maxLength: 60 }),
        fc.constantFrom(0, 300, 2_500),
        async (plan, ms) => {
          setHidden(false)
          const schedule = createRefreshSchedule()
          const parts = [createPart(ms), createPart(ms / 2), createPart(ms, 'same')]
          const scheduled = parts.map((part) => schedule.add(part))
          const markedAt = parts.map(() => -Infinity)
          const countStarts = (): number => parts.flatMap(({ starts }) => starts).length

          for (const event of plan) {
            const wasHidden = document.hidden
            const before = countStarts()
            if (event === 'hide' || event === 'show') setHidden(event === 'hide')
            else if (event === 'a moment') await vi.advanceTimersByTimeAsync(130)
            else if (event === 'a second') await vi.advanceTimersByTimeAsync(1_000)
            else {
              markedAt[event.part] = performance.now()
              scheduled[event.part]?.mark(event.delayMs)
            }
            expect(wasHidden && document.hidden && countStarts() > before).toBe(false)
          }
          setHidden(false)
          await vi.advanceTimersByTimeAsync(20_000)

          const starts = [...new Set(parts.flatMap((part) => part.starts))].toSorted(
            (a, b) => a - b,
          )
          for (const [index, at] of starts.entries()) {
            expect(at - (starts[index - 1] ?? -Infinity)).toBeGreaterThanOrEqual(1_000)
          }
          for (const [index, part] of parts.entries()) {
            expect(part.starts.at(-1) ?? -Infinity).toBeGreaterThanOrEqual(markedAt[index] ?? 0)
          }
          for (const { remove } of scheduled) remove()
          expect(vi.getTimerCount()).toBe(0)
        },
      ),
      { numRuns: 100 },
    )
  })
})
