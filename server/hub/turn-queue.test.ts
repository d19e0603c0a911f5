import { describe, expect, test } from 'vitest'
import { createTurnQueue } from './turn-queue'

/** Keeps the processor for so long, as reading a page from a file does. */
function work(ms: number): Promise<void> {
  const until = performance.now() + ms
  while (performance.now() < until);
  return Promise.resolve()
}

describe('createTurnQueue', () => {
  test('leaves the event loop to others every ten milliseconds, however many wait', async () => {
    const turns = createTurnQueue()
    let others = 0
    let longestMs = 0
    let turnStartedAt = performance.now()
    const timer = setInterval(() => {
      others++
      longestMs = Math.max(longestMs, performance.now() - turnStartedAt)
      turnStartedAt = performance.now()
    }, 1)

    await Promise.all(Array.from({ length: 60 }, () => turns.run(() => work(4))))
    clearInterval(timer)

    // 240 ms of work, of which a turn holds three or four pieces.
    expect(others).toBeGreaterThan(12)
    expect(longestMs).toBeLessThan(60)
  })

  test('serves those who wait in turn, and the urgent ones first', async () => {
    const turns = createTurnQueue()
    const served: string[] = []
    const ask = (name: string, urgent = false): Promise<void> =>
      turns.run(
        async () => {
          served.push(name)
          await work(6)
        },
        { urgent },
      )

    await Promise.all([ask('a'), ask('b'), ask('c'), ask('d'), ask('e'), ask('flush', true)])

    expect(served.indexOf('flush')).toBeLessThan(4)
    expect(served.filter((name) => name !== 'flush')).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  test('a task that fails fails alone', async () => {
    const turns = createTurnQueue()

    const failing = turns.run(() => Promise.reject(new Error('gone')))
    const other = turns.run(() => Promise.resolve('there'))

    await expect(failing).rejects.toThrow('gone')
    expect(await other).toBe('there')
  })
})
