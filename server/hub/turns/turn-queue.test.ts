import { describe, expect, test } from 'vitest'
import { createTurnQueue } from './turn-queue'

/** Blocks the event loop for `ms`, as reading a page from a file does. */
function work(ms: number): Promise<void> {
  const until = performance.now() + ms
  while (performance.now() < until);
  return Promise.resolve()
}

describe('createTurnQueue', () => {
  test('yields to the event loop every ten milliseconds, however many tasks wait', async () => {
    const turns = createTurnQueue()
    let others = 0
    let done = 0
    let mostInTurn = 0
    const timer = setInterval(() => {
      others++
      done = 0
    }, 1)

    const task = async (): Promise<void> => {
      await work(4)
      mostInTurn = Math.max(mostInTurn, ++done)
    }
    await Promise.all(Array.from({ length: 60 }, () => turns.run(task)))
    clearInterval(timer)

    // 240 ms of work: a turn runs three or four tasks of 4 ms, and the first may begin halfway through a turn of the event loop.
    expect(others).toBeGreaterThan(12)
    expect(mostInTurn).toBeLessThanOrEqual(8)
  })

  test('runs waiting tasks in order, and urgent ones first', async () => {
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

  test('a task that fails does not affect the others', async () => {
    const turns = createTurnQueue()

    const failing = turns.run(() => Promise.reject(new Error('gone')))
    const other = turns.run(() => Promise.resolve('there'))

    await expect(failing).rejects.toThrow('gone')
    expect(await other).toBe('there')
  })
})
