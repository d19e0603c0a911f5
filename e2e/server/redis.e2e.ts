/** Servers whose events are in Redis: what happens to streams and publishes while Redis is away, and afterwards. */
import { setTimeout as sleep } from 'node:timers/promises'
import { asPublisher } from '../../test/requests/publisher'
import { readHistory } from '../../test/readers/read-history'
import { expect, test } from '../../test/fixtures/redis-test'
import { createStreamReader, type StreamReader } from '../../test/readers/stream-reader'

/** The timeout for steps that are slow on a busy machine. */
const long = { timeout: 30_000 }

function post(url: string, topic: string, body: string): Promise<Response> {
  return fetch(`${url}/events/${topic}`, { method: 'POST', headers: asPublisher, body })
}

async function publish(url: string, topic: string, data: string): Promise<string> {
  const response = await post(url, topic, data)
  if (response.status !== 201) throw new Error(`publishing answered ${response.status}`)
  const { ids } = (await response.json()) as { ids: [string] }
  return ids[0]
}

function messages(reader: StreamReader): { id: string; data: string }[] {
  return reader.events.flatMap(({ id = '', type, data }) =>
    type === 'message' ? [{ id, data }] : [],
  )
}

test('Redis killed in a burst and started again: the open stream misses and repeats nothing', async ({
  redis,
  startOnRedis,
}) => {
  const { url, openStreams } = await startOnRedis({ env: { HEARTBEAT: '1s' } })
  const reader = createStreamReader()
  const reading = reader.connect(`${url}/events/burst?since=all`)
  await reader.until(({ type }) => type === 'connected')
  const acknowledged = new Map<string, string>()
  const refusals: Response[] = []
  const over = new AbortController()
  const publishers = Array.from({ length: 8 }, async (_, publisher) => {
    for (let n = 0; !over.signal.aborted; n++) {
      const data = `${publisher}-${n}`
      const response = await post(url, 'burst', data)
      if (response.status === 201) {
        const { ids } = (await response.json()) as { ids: [string] }
        acknowledged.set(ids[0], data)
      } else {
        refusals.push(response)
        await sleep(50)
      }
    }
  })
  await expect.poll(() => acknowledged.size, long).toBeGreaterThan(60)

  await redis.kill()
  await expect.poll(() => refusals.length, long).toBeGreaterThan(8)
  const killedAt = reader.events.length
  const newcomer = createStreamReader()
  await newcomer.connect(`${url}/events/burst`)
  await reader.until((event) => event.type === 'ping' && reader.events.indexOf(event) >= killedAt)
  const acknowledgedBefore = acknowledged.size
  await redis.restart()
  await expect.poll(() => acknowledged.size, long).toBeGreaterThan(acknowledgedBefore + 60)
  over.abort()
  await Promise.all(publishers)
  const last = await publish(url, 'burst', 'last')
  await reader.until(({ id }) => id === last)

  const got = new Map(messages(reader).map(({ id, data }) => [id, data]))
  for (const [id, data] of acknowledged) expect(got.get(id)).toBe(data)
  expect(new Set(got.values()).size).toBe(messages(reader).length)
  expect(messages(reader)).toEqual(
    (await readHistory(url, 'burst')).map(({ id, data }) => ({ id, data })),
  )
  expect(reader.events.filter(({ type }) => type === 'resync')).toEqual([])
  expect(newcomer.events.map(({ type }) => type)).toEqual(['reconnect'])
  for (const { status, headers } of refusals) {
    expect(status).toBe(503)
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  }
  reader.disconnect()
  await reading
  await expect.poll(openStreams).toBe(0)
})

test('Redis flushed: open streams hear resync, and get what is published next', async ({
  redis,
  startOnRedis,
}) => {
  const { url, openStreams } = await startOnRedis()
  const readers = [['flushed'], ['flushed', 'other']].map((topics) => {
    const reader = createStreamReader()
    return { topics, reader, ended: reader.connect(`${url}/events/${topics.join()}`) }
  })
  for (const { reader } of readers) await reader.until(({ type }) => type === 'connected')
  const before = await publish(url, 'flushed', 'before')
  for (const { reader } of readers) await reader.until(({ id }) => id === before)

  await redis.command('FLUSHALL')
  for (const { reader } of readers) await reader.until(({ type }) => type === 'resync')
  const after = await publish(url, 'flushed', 'after')
  for (const { reader } of readers) await reader.until(({ id }) => id === after)

  for (const { topics, reader, ended } of readers) {
    const types = reader.events.map(({ type }) => type)
    expect(types).toEqual(['connected', 'message', 'resync', 'message'])
    const { data } = await reader.until(({ type }) => type === 'resync')
    expect(JSON.parse(data)).toEqual({
      reason: 'epoch',
      from: before,
      oldest: null,
      topics,
    })
    reader.disconnect()
    await ended
  }
  await expect.poll(openStreams).toBe(0)
})

test('A server starts while Redis is away, and serves when it is there', async ({
  redis,
  startOnRedis,
}) => {
  await redis.kill()
  const { url } = await startOnRedis()
  const refused = await post(url, 'early', 'one')
  await redis.restart()

  await expect.poll(async () => (await post(url, 'early', 'two')).status, long).toBe(201)

  expect(refused.status).toBe(503)
  expect((await readHistory(url, 'early')).map(({ data }) => data)).toEqual(['two'])
})
