/** Publishing while another process holds the file of events. */
import { join } from 'node:path'
import Database from 'libsql'
import { expect, test } from '../../test/fixtures/server-test'
import { readHistory } from '../../test/readers/read-history'
import { codeOf, idsOf, publish, tryPublish } from '../../test/requests/publish'
import { sendRequest } from '../../test/requests/send-request'

function lines(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${index}`)
}

/** Another process that locks the same file for a while. */
function lockFile(file: string): { release: () => void } {
  const database = new Database(file)
  database.exec('BEGIN IMMEDIATE')
  return {
    release() {
      database.exec('ROLLBACK')
      database.close()
    },
  }
}

test('While another process holds the file for a second, publishes wait, and then all succeed', async ({
  start,
  folder,
}) => {
  const server = await start()
  await publish(server.url, 'slow', 'before')
  const lock = lockFile(join(folder, 'events.db'))
  const lockedAt = performance.now()

  const answering = Promise.all(lines(20).map((line) => tryPublish(server.url, 'slow', line)))
  const reads = await sendRequest(server.url, '/events/slow?last=1')
  await expect.poll(() => performance.now() - lockedAt).toBeGreaterThan(1_000)
  lock.release()
  const answers = await answering

  expect(reads.status).toBe(200)
  const ids = answers.flatMap(idsOf)
  const kept = await readHistory(server.url, 'slow')
  expect(new Set(kept.slice(1).map(({ id }) => id))).toEqual(new Set(ids))
  expect(kept.slice(1)).toHaveLength(20)
})

test('While it holds the file for longer, publishes are refused as busy, and leave nothing', async ({
  start,
  folder,
}) => {
  const server = await start()
  await publish(server.url, 'busy', 'before')
  const lock = lockFile(join(folder, 'events.db'))
  const askedAt = performance.now()

  const refused = await Promise.all(lines(3).map((line) => tryPublish(server.url, 'busy', line)))
  const waited = performance.now() - askedAt
  lock.release()
  await publish(server.url, 'busy', 'after')

  for (const answer of refused) {
    expect(answer.status).toBe(503)
    expect(codeOf(answer)).toBe('busy')
    expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/)
  }
  expect(waited).toBeGreaterThan(4_500)
  expect(waited).toBeLessThan(8_000)
  const kept = await readHistory(server.url, 'busy')
  expect(kept.map(({ data }) => data)).toEqual(['before', 'after'])
})
