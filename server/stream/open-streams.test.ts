import { beforeEach, describe, expect, test, vi } from 'vitest'

/** Draining is for good: every test begins with a process that has not. */
async function openStreams(): Promise<typeof import('./open-streams')> {
  vi.resetModules()
  return await import('./open-streams')
}

beforeEach(() => {
  Reflect.deleteProperty(globalThis, Symbol.for('next-sse'))
})

describe('drainStreams', () => {
  test('asks many streams to leave one after another, over the time given', async () => {
    const { addStream, drainStreams } = await openStreams()
    const startedAt = performance.now()
    const leftAt: number[] = []
    for (let n = 0; n < 100; n++) {
      const remove = addStream({
        leave(reason) {
          expect(reason).toBe('drain')
          leftAt.push(performance.now() - startedAt)
          remove()
        },
      })
    }

    await drainStreams(500)

    expect(leftAt).toHaveLength(100)
    for (const [index, at] of leftAt.entries()) expect(at).toBeGreaterThanOrEqual(index * 5 - 2)
  })

  test('does not hold up a few', async () => {
    const { addStream, drainStreams } = await openStreams()
    const startedAt = performance.now()
    for (let n = 0; n < 5; n++) {
      const remove = addStream({ leave: () => remove() })
    }

    await drainStreams(60_000)

    expect(performance.now() - startedAt).toBeLessThan(30_000)
  })

  test('waits no longer than that for one that does not go', async () => {
    const { addStream, drainStreams } = await openStreams()
    const leave = vi.fn<() => void>()
    addStream({ leave })

    await drainStreams(200)

    expect(leave).toHaveBeenCalledOnce()
  })

  test('meanwhile no further stream may open', async () => {
    const { drainStreams, isDraining, refusalOfStream } = await openStreams()
    expect(refusalOfStream(10)).toBeUndefined()

    await drainStreams(1_000)

    expect(refusalOfStream(10)).toBe('drain')
    expect(isDraining()).toBe(true)
  })
})
