import { describe, expect, test, vi } from 'vitest'
import { createAppendQueue } from './append-queue'
import type { Append, SqliteWriter } from './sqlite-writer'

/** Records how many events each transaction writes. */
function createWriter(): Pick<SqliteWriter, 'write' | 'trim'> & {
  batches: number[][]
  trims: number
} {
  return {
    batches: [],
    trims: 0,
    write(appends) {
      const counts = appends.map(({ events }) => events.length)
      this.batches.push(counts)
      const rows = counts.reduce((sum, count) => sum + count, 0)
      return { outcomes: appends.map(() => appended), rows, topicIds: new Set([1]) }
    },
    trim() {
      this.trims++
      return true
    },
  }
}

const hooks = { checkFile: () => {}, makeRoom: () => false, onCommit: () => {} }
const appended = { ids: [], replayed: false }

function appendOf(count: number, data = ''): Append {
  const events = Array.from({ length: count }, () => ({ type: 'message', data }))
  return { topic: 'a', events, idempotency: undefined }
}

describe('createAppendQueue', () => {
  test('appends of one turn of the event loop share a transaction', async () => {
    const writer = createWriter()
    const onCommit = vi.fn<() => void>()
    const queue = createAppendQueue(writer, { ...hooks, onCommit })

    await Promise.all([1, 2, 3].map((count) => queue.push(appendOf(count))))

    expect(writer.batches).toEqual([[1, 2, 3]])
    expect(onCommit).toHaveBeenCalledOnce()
  })

  test('a transaction takes up to 2,000 events or 1 MiB, and an append is never split', async () => {
    const writer = createWriter()
    const queue = createAppendQueue(writer, hooks)
    const half = appendOf(1, 'x'.repeat(600_000))

    await Promise.all(
      [appendOf(1_500), appendOf(500), appendOf(1), appendOf(5_000), half, half].map((append) =>
        queue.push(append),
      ),
    )

    expect(writer.batches).toEqual([[1_500, 500], [1], [5_000], [1], [1]])
  })

  test('trims one step more than was written', async () => {
    const writer = createWriter()
    const queue = createAppendQueue(writer, hooks)

    await queue.push(appendOf(1_001))
    await queue.idle()

    expect(writer.trims).toBe(4)
  })

  test('a failed write is unavailable, with its cause, and later appends are tried again', async () => {
    const cause = new Error('the disk is full')
    const writer = createWriter()
    const onCommit = vi.fn<() => void>()
    const queue = createAppendQueue(writer, { ...hooks, onCommit })
    vi.spyOn(writer, 'write').mockImplementationOnce(() => {
      throw cause
    })

    const failed = await Promise.allSettled([queue.push(appendOf(1)), queue.push(appendOf(1))])

    const error = { name: 'LogError', code: 'unavailable', cause }
    expect(failed).toMatchObject([{ reason: error }, { reason: error }])
    expect(onCommit).not.toHaveBeenCalled()
    await expect(queue.push(appendOf(1))).resolves.toBe(appended)
  })

  test('a failed trim fails no append', async () => {
    const writer = createWriter()
    const queue = createAppendQueue(writer, hooks)
    vi.spyOn(writer, 'trim').mockImplementation(() => {
      throw new Error('the disk is full')
    })

    await expect(queue.push(appendOf(1))).resolves.toBe(appended)
    await expect(queue.push(appendOf(1))).resolves.toBe(appended)
  })
})
