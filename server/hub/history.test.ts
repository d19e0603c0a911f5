import { afterEach, expect, test, vi } from 'vitest'
import { parseCursor } from '@/protocol/cursor'
import type { EventLog, Retention } from '@/server/log/event-log'
import { openLog } from '@/server/log/open-log'
import { historyOf } from './history'

const hourMs = 3_600_000
const limits = { maxCount: 1_000, maxAgeMs: hourMs }
const retention: Retention = {
  ...limits,
  ownLimits: (topic) => (topic === 'price' ? { ...limits, latest: true } : undefined),
}

afterEach(() => {
  vi.useRealTimers()
})

async function append(log: EventLog, topic: string, ...texts: string[]): Promise<string[]> {
  return (
    await log.append(
      topic,
      texts.map((data) => ({ type: 'n', data })),
    )
  ).ids
}

test('history after an event that is still in the log, or is the newest, has no gap', async () => {
  const log = await openLog({ engine: 'memory' }, retention)
  const [first = '', second = ''] = await append(log, 'a', '1', '2')

  const afterFirst = await historyOf(log, 'a', { after: first })
  const afterSecond = await historyOf(log, 'a', { after: second })

  expect(afterFirst).toMatchObject({ events: [{ id: second }], gap: undefined })
  expect(afterSecond).toMatchObject({ events: [], gap: undefined })
  await log.close()
})

test('history after an event whose successors are no longer kept says which topics lack some', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const log = await openLog({ engine: 'memory' }, retention)
  const [first = ''] = await append(log, 'a', '1', '2')
  vi.setSystemTime(Date.now() + 0.9 * hourMs)
  const [kept = ''] = await append(log, 'b', '3')
  vi.setSystemTime(Date.now() + 0.2 * hourMs)

  const { events, gap } = await historyOf(log, ['a', 'b'], { after: first })

  expect(events.map(({ data }) => data)).toEqual(['3'])
  expect(gap).toEqual({ reason: 'trimmed', from: first, oldest: kept, topics: ['a'] })
  await log.close()
})

test('history after an event of another log, or one that this log never had, gives all that is kept and says so', async () => {
  const log = await openLog({ engine: 'memory' }, retention)
  const [only = ''] = await append(log, 'a', '1')
  const ahead = `${parseCursor(only)?.epoch}.99`

  const ofOther = await historyOf(log, ['a', 'b'], { after: 'other.1' })
  const ofFuture = await historyOf(log, 'b', { after: ahead })

  expect(ofOther).toMatchObject({
    events: [{ id: only }],
    gap: { reason: 'epoch', from: 'other.1', oldest: only, topics: ['a', 'b'] },
  })
  expect(ofFuture).toMatchObject({
    events: [],
    gap: { reason: 'future', from: ahead, oldest: null, topics: ['b'] },
  })
  await log.close()
})

test('what a newer event of a `latest` topic has replaced is no gap', async () => {
  const log = await openLog({ engine: 'memory' }, retention)
  const [first = ''] = await append(log, 'price', '1')
  await append(log, 'price', '2')
  await append(log, 'price', '3')

  const { events, gap } = await historyOf(log, 'price', { after: first })

  expect(events.map(({ data }) => data)).toEqual(['3'])
  expect(gap).toBeUndefined()
  await log.close()
})

test('a start by count or age has no gap: it promises nothing', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const log = await openLog({ engine: 'memory' }, retention)
  await append(log, 'a', '1')
  vi.setSystemTime(Date.now() + 2 * hourMs)
  await append(log, 'a', '2')

  const all = await Promise.all([
    historyOf(log, 'a', {}),
    historyOf(log, 'a', { last: 5 }),
    historyOf(log, 'a', { since: 'all' }),
  ])

  expect(all.map(({ gap }) => gap)).toEqual([undefined, undefined, undefined])
  await log.close()
})
