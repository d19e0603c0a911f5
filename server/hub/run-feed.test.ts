import type { EventSourceMessage } from 'eventsource-parser'
import { expect, test } from 'vitest'
import { createMemoryLog } from '@/server/log/memory/memory-log'
import { readerOf } from '@/test/readers/feed-reader'
import { createHub } from './hub'

test('a stream of a run whose end was removed before it was read says so, and ends', async () => {
  const log = createMemoryLog({ maxCount: 10, maxAgeMs: 3_600_000 })
  const hub = createHub(log)
  const append = (op: 'begin' | 'end', data: string): Promise<unknown> =>
    log.append('work', [{ type: `run.${op}`, data }], {
      run: op === 'end' ? { id: 'r1', op, status: 'done' } : { id: 'r1', op },
    })
  await append('begin', '{"run":"r1"}')
  const found = await log.findRun('work')
  const feed = await hub.subscribe({
    topics: ['work'],
    envelope: false,
    run: { found, isFinite: true },
  })
  await append('end', '{"run":"r1","status":"done"}')
  for (let n = 0; n < 3; n++) {
    await log.append(
      'work',
      Array.from({ length: 600 }, () => ({ type: 'message', data: 'later' })),
    )
  }

  const read = readerOf(feed)
  const events: EventSourceMessage[] = []
  for (let some = await read.next(); some.length > 0; some = await read.next()) events.push(...some)

  expect(events).toMatchObject([
    { event: 'run.state', data: '{"run":"r1","status":"running"}' },
    { event: 'resync' },
  ])
  await feed.close()
  await hub.close()
})
