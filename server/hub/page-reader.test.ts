import { describe, expect, test } from 'vitest'
import { createSelection } from './selection'
import { createMemoryLog } from '@/server/log/memory/memory-log'
import { createPageReader } from './page-reader'

const retention = { maxCount: 10_000, maxAgeMs: 3_600_000 }

describe('createPageReader', () => {
  test('limits a page by its encoded size: a line feed takes seven bytes on the wire', async () => {
    const log = createMemoryLog(retention)
    const start = await log.head()
    const lineFeeds = { type: 'message', data: '\n'.repeat(10_000) }
    await log.append(
      'a',
      Array.from({ length: 50 }, () => lineFeeds),
    )
    const readPage = createPageReader(log, () => Infinity)

    const sizes: number[] = []
    let count = 0
    for (let after = start; count < 50;) {
      const page = await readPage(createSelection(['a'], false), after)
      sizes.push(page.chunk?.length ?? 0)
      count += page.count
      expect(page.through.offset).toBe(start.offset + count)
      after = page.through
    }

    expect(count).toBe(50)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(256 * 1024)
    await log.close()
  })
})
