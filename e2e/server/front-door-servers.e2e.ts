/** On which servers the front door opens: on that of Next, in each process; on one of the app's own only when it is told to. */
import { join } from 'node:path'
import { expect, isTaken, test } from '../../test/fixtures/door-test'
import { createStreamReader } from '../../test/readers/stream-reader'
import { publish, tryPublish } from '../../test/requests/publish'
import { sendRequest } from '../../test/requests/send-request'
import type { RunningServer } from '../../test/servers/start-server'

const ownServer = join(__dirname, '../../test/servers/own-server.cjs')
const twoWorkers = join(__dirname, '../../test/servers/two-workers.cjs')

function addressOf(server: RunningServer, name: string): string {
  const [, address = ''] = new RegExp(`^${name}: (\\S+)$`, 'm').exec(server.output()) ?? []
  return address
}

async function isTakenAt(url: string): Promise<boolean> {
  const { status, headers } = await sendRequest(url, '/events/news', { method: 'HEAD' })
  expect(status).toBe(200)
  return isTaken(headers)
}

test('By itself it stays shut on a server of the app, whose guard sees every request', async ({
  startServed,
}) => {
  const env = { GUARDED: 'yes' }
  const served = await startServed({ program: ownServer, env })
  const pass = { pass: 'yes' }

  for (let n = 0; n < 2; n++) {
    const answer = await sendRequest(served.url, '/events/news', { headers: pass })
    expect(answer.body).toContain('event: connected')
    expect(isTaken(answer.headers)).toBe(false)
    expect((await sendRequest(served.url, '/events/news')).body).toBe('No pass.')
    expect((await tryPublish(served.url, 'news', 'hello')).status).toBe(401)
  }

  expect(served.output()).toContain(
    'The front door is shut, and requests go through Next: a server of the app',
  )
  await expect.poll(served.openStreams).toBe(0)
})

test('Told to, it opens on each server of the app that asks Next, and on no other', async ({
  startServed,
}) => {
  const served = await startServed({ program: ownServer, env: { FRONT_DOOR: 'on' } })
  const second = addressOf(served, 'Second')
  const other = addressOf(served, 'Other')

  expect(await isTakenAt(served.url)).toBe(true)
  expect([await isTakenAt(second), await isTakenAt(second)]).toEqual([false, true])
  for (let n = 0; n < 2; n++) {
    const { body } = await sendRequest(other, '/events/news')
    expect(body).toBe('not Next: /events/news')
  }
  await publish(second, 'news', 'hello')

  process.kill(served.pid, 'SIGUSR1')
  await expect.poll(served.output).toContain('Closed.')

  expect(await isTakenAt(second)).toBe(true)
})

test('It opens in a standalone build', async ({ startServed }) => {
  const { url } = await startServed({ command: 'standalone' })

  expect(await isTakenAt(url)).toBe(true)
})

test('It opens in each process of a cluster, and what one takes the other delivers', async ({
  startServed,
}) => {
  const served = await startServed({ program: twoWorkers })
  const seen = new Set<unknown>()
  const see = async (): Promise<number> => {
    const { headers } = await sendRequest(served.url, '/events/news', { method: 'HEAD' })
    seen.add(headers['taken-by'])
    return seen.size
  }
  // From each, and one time through Next.
  await expect.poll(see, { intervals: [50] }).toBeGreaterThan(2)
  const readers = Array.from({ length: 4 }, () => createStreamReader())
  const reading = readers.map((reader) => reader.connect(`${served.url}/events/news`))
  for (const reader of readers) await reader.until(({ type }) => type === 'connected')

  await publish(served.url, 'news', 'one', 'two', 'three', 'four')

  for (const reader of readers) {
    await reader.until(({ data }) => data === 'four')
    const data = reader.events.flatMap((event) => (event.type === 'message' ? [event.data] : []))
    expect(data).toEqual(['one', 'two', 'three', 'four'])
    reader.disconnect()
  }
  await Promise.all(reading)
})
