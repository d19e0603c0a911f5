import { describe, expect, test } from 'vitest'
import { inBatches } from './batches'

interface Source {
  stream: ReadableStream<number>
  give: (...items: number[]) => void
  close: () => void
  fail: (error: Error) => void
  isCancelled: () => boolean
}

function source(): Source {
  let isCancelled = false
  let controller: ReadableStreamDefaultController<number>
  const stream = new ReadableStream<number>({
    start(given) {
      controller = given
    },
    cancel() {
      isCancelled = true
    },
  })
  return {
    stream,
    give: (...items) => items.forEach((item) => controller.enqueue(item)),
    close: () => controller.close(),
    fail: (error) => controller.error(error),
    isCancelled: () => isCancelled,
  }
}

const options = { everyMs: 50, maxItems: 5 }

describe('inBatches', () => {
  test('gives the first item at once, and what comes in the next 50 ms together', async () => {
    const { stream, give, close } = source()
    const batches = inBatches(stream, options)
    give(1)
    const startedAt = performance.now()

    expect((await batches.next()).value).toEqual([1])
    expect(performance.now() - startedAt).toBeLessThan(40)
    give(2)
    setTimeout(() => give(3), 10)
    expect((await batches.next()).value).toEqual([2, 3])
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(49)
    close()

    expect((await batches.next()).done).toBe(true)
  })

  test('takes what the stream has ready, at most so much at a time', async () => {
    const { stream, give } = source()
    give(1, 2, 3, 4, 5, 6, 7)
    const batches = inBatches(stream, options)

    expect((await batches.next()).value).toEqual([1, 2, 3, 4, 5])
    expect((await batches.next()).value).toEqual([6, 7])
    await batches.return()
  })

  test('gives what came before an error, then throws', async () => {
    const { stream, give, fail } = source()
    const batches = inBatches(stream, options)
    give(1)
    await batches.next()
    give(2)
    setTimeout(() => fail(new Error('gone')), 5)

    expect((await batches.next()).value).toEqual([2])
    await expect(batches.next()).rejects.toThrow('gone')
  })

  test('ends the stream when the reader leaves', async () => {
    const { stream, give, isCancelled } = source()
    const batches = inBatches(stream, options)
    give(1)
    await batches.next()

    await batches.return()

    expect(isCancelled()).toBe(true)
  })
})
