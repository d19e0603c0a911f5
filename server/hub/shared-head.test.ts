import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Cursor } from '@/protocol/cursor'
import { createSharedHead } from './shared-head'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('createSharedHead', () => {
  let offset = 1
  const readHead = vi.fn<() => Promise<Cursor>>()

  beforeEach(() => {
    offset = 1
    readHead.mockReset().mockImplementation(() => Promise.resolve({ epoch: 'k3f9', offset }))
  })

  test('reads the head once for all who ask at the same time, and again after 10 ms', async () => {
    const { read } = createSharedHead(readHead)

    const heads = await Promise.all(Array.from({ length: 100 }, read))
    expect(readHead).toHaveBeenCalledOnce()
    expect(new Set(heads.map((head) => head.offset))).toEqual(new Set([1]))

    offset = 2
    await vi.advanceTimersByTimeAsync(9)
    expect(await read()).toMatchObject({ offset: 1 })
    await vi.advanceTimersByTimeAsync(1)
    expect(await read()).toMatchObject({ offset: 2 })
  })

  test('a change is known at once, even one that comes while the head is being read', async () => {
    const { read, forget } = createSharedHead(readHead)
    const before = read()
    offset = 2
    forget()

    expect(await read()).toMatchObject({ offset: 2 })
    expect(await before).toMatchObject({ offset: 1 })
    expect(readHead).toHaveBeenCalledTimes(2)
  })

  test('a failure is for those who waited, and the next one asks the log again', async () => {
    const { read } = createSharedHead(readHead)
    readHead.mockRejectedValueOnce(new Error('away'))

    await expect(Promise.all([read(), read()])).rejects.toThrow('away')

    expect(await read()).toMatchObject({ offset: 1 })
  })
})
