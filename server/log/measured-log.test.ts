import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { journal } from '@/server/observe/journal'
import { metrics } from '@/server/observe/metrics'
import { LogError, type EventLog } from './event-log'
import { measuredLog } from './measured-log'
import { createMemoryLog } from './memory/memory-log'

const one = [{ type: 'message', data: 'a secret' }]
let inner: EventLog
let log: EventLog

beforeEach(() => {
  metrics.registry.resetMetrics()
  vi.spyOn(journal, 'error').mockImplementation(() => {})
  vi.spyOn(journal, 'info').mockImplementation(() => {})
  inner = createMemoryLog({ maxCount: 10, maxAgeMs: 1_000 })
  log = measuredLog(inner)
})

afterEach(async () => {
  await log.close()
  vi.restoreAllMocks()
})

async function valueOf(name: string): Promise<string | undefined> {
  const text = await metrics.registry.metrics()
  return text.split('\n').find((line) => line.startsWith(`${name} `))
}

test('an outage is logged once, and so is its end', async () => {
  const cause = new LogError('unavailable', 'gone')
  const head = vi.spyOn(inner, 'head').mockRejectedValue(cause)
  const read = vi.spyOn(inner, 'read').mockRejectedValue(cause)
  for (let n = 0; n < 3; n++) await expect(log.head()).rejects.toBe(cause)
  await expect(log.read({ after: { epoch: 'x', offset: 0 }, limit: 1, maxBytes: 1 })).rejects.toBe(
    cause,
  )
  expect(journal.error).toHaveBeenCalledExactlyOnceWith({ err: cause }, expect.any(String))

  head.mockRestore()
  read.mockRestore()
  await log.head()
  await log.head()

  expect(journal.info).toHaveBeenCalledOnce()
  expect(await valueOf('sse_log_errors_total{code="unavailable"}')).toMatch(/ 4$/)
})

test('a log that can be read but not written is reported once, however many reads succeed in between', async () => {
  vi.spyOn(inner, 'append').mockRejectedValue(new LogError('unavailable', 'the disk is full'))

  for (let n = 0; n < 3; n++) {
    await expect(log.append('news', one)).rejects.toThrow(LogError)
    await log.head()
  }

  expect(journal.error).toHaveBeenCalledOnce()
  expect(journal.info).not.toHaveBeenCalled()
})

test('a refused append is counted as an error, but is no outage', async () => {
  const idempotency = { key: 'key', fingerprint: 'one' }
  await log.append('news', one, { idempotency })
  await log.append('news', one, { idempotency })

  const other = { idempotency: { key: 'key', fingerprint: 'other' } }
  await expect(log.append('news', one, other)).rejects.toThrow(LogError)

  expect(journal.error).not.toHaveBeenCalled()
  expect(await valueOf('sse_log_errors_total{code="idempotency-conflict"}')).toMatch(/ 1$/)
  expect(await valueOf('sse_events_appended_total')).toMatch(/ 1$/)
})
