/** Resume by cursor: whatever is cut, killed or moved, a reader ends with exactly what was published. */
import { asPublisher } from '../../test/requests/publisher'
import { createStreamReader, type StreamReader } from '../../test/readers/stream-reader'
import { startCuttingProxy } from '../../test/servers/cutting-proxy'
import { expect, test } from '../../test/fixtures/server-test'

async function publish(url: string, topic: string, data: string): Promise<string> {
  const response = await fetch(`${url}/events/${topic}`, {
    method: 'POST',
    headers: asPublisher,
    body: data,
  })
  if (response.status !== 201) throw new Error(`publishing answered ${response.status}`)
  const { ids } = (await response.json()) as { ids: [string] }
  return ids[0]
}

/** Publishes `data` one by one, some at a time, in no particular order. */
async function publishAll(url: string, topic: string, data: readonly string[]): Promise<void> {
  const waiting = [...data]
  const publishers = Array.from({ length: 8 }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await publish(url, topic, next)
    }
  })
  await Promise.all(publishers)
}

function messages(reader: StreamReader): { id: string; data: string }[] {
  return reader.events.flatMap(({ id = '', type, data }) =>
    type === 'message' ? [{ id, data }] : [],
  )
}

function countOf(reader: StreamReader, type: string): number {
  return reader.events.filter((event) => event.type === type).length
}

/** What a topic holds, read in one piece. */
async function readHistory(url: string, topics: string, count: number): Promise<StreamReader> {
  const reader = createStreamReader()
  const ended = reader.connect(`${url}/events/${topics}?since=all`)
  if (count > 0) await reader.until(() => messages(reader).length === count)
  reader.disconnect()
  await ended
  return reader
}

function numbered(count: number, prefix = ''): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`)
}

for (const topics of ['cut', 'cut.a,cut.b,cut.c']) {
  test(`Cut at random bytes, a reader of ${topics} ends with exactly what was published`, async ({
    server,
  }) => {
    const proxy = await startCuttingProxy(server.url, () => 150 + Math.floor(Math.random() * 4_000))
    const reader = createStreamReader()
    const names = topics.split(',')
    const perTopic = 900 / names.length

    const publishing = Promise.all(
      names.map((topic) => publishAll(server.url, topic, numbered(perTopic, `${topic} `))),
    )
    const complete = reader
      .until(() => messages(reader).length === 900, 45_000)
      .then(reader.disconnect)
    while (messages(reader).length < 900) {
      await reader.connect(`${proxy.url}/events/${topics}?since=all`)
    }
    await Promise.all([publishing, complete])
    await proxy.close()

    const whole = await readHistory(server.url, topics, 900)
    expect(messages(reader)).toEqual(messages(whole))
    expect(countOf(reader, 'resync')).toBe(0)
    expect(proxy.cuts()).toBeGreaterThan(10)
    await expect.poll(server.openStreams).toBe(0)
  })
}

test('Cut once after any byte of its first 2 kB, a reader misses and repeats nothing @soak', async ({
  server,
  isSoak,
}) => {
  // Eight bytes next to each other out of each so many: all of them in the soak.
  const stride = isSoak ? 8 : 32
  await publishAll(server.url, 'bytes', numbered(60, 'some data, number '))
  const whole = await readHistory(server.url, 'bytes', 60)
  // The head of the response comes before the stream.
  const responseBytes = 2_560
  const proxy = await startCuttingProxy(
    server.url,
    (connection) => Math.floor(connection / 8) * stride + (connection % 8) + 1,
  )

  const broken: number[] = []
  for (let bytes = 1; bytes <= responseBytes; bytes += stride) {
    await Promise.all(
      numbered(8).map(async () => {
        const reader = createStreamReader()
        await reader.connect(`${proxy.url}/events/bytes?since=all`)
        const ended = reader.connect(`${server.url}/events/bytes?since=all`)
        await reader.until(({ data }) => data === messages(whole).at(-1)?.data)
        reader.disconnect()
        await ended
        const isComplete = JSON.stringify(messages(reader)) === JSON.stringify(messages(whole))
        if (!isComplete || countOf(reader, 'resync') > 0) broken.push(bytes)
      }),
    )
  }
  await proxy.close()

  expect(broken).toEqual([])
  expect(proxy.cuts()).toBe((responseBytes / stride) * 8)
})

test('Killed in a burst of publishes and started again, the server has every event it acknowledged, once', async ({
  start,
}) => {
  const first = await start()
  const reader = createStreamReader()
  const reading = reader.connect(`${first.url}/events/burst?since=all`)
  await reader.until(({ type }) => type === 'connected')
  const acknowledged = new Map<string, string>()
  const publishers = numbered(8).map(async (publisher) => {
    for (let n = 0; ; n++) {
      const data = `${publisher}-${n}`
      try {
        acknowledged.set(await publish(first.url, 'burst', data), data)
      } catch {
        return
      }
    }
  })
  await expect.poll(() => acknowledged.size, { timeout: 15_000 }).toBeGreaterThan(300)

  await first.stop()
  await Promise.all([...publishers, reading])

  const second = await start()
  const last = await publish(second.url, 'burst', 'last')
  const resumed = reader.connect(`${second.url}/events/burst`)
  await reader.until(({ id }) => id === last)
  const whole = await readHistory(second.url, 'burst', messages(reader).length)
  reader.disconnect()
  await resumed

  const kept = new Map(messages(whole).map(({ id, data }) => [id, data]))
  for (const [id, data] of acknowledged) expect(kept.get(id)).toBe(data)
  expect(new Set(kept.values()).size).toBe(kept.size)
  expect(messages(reader)).toEqual(messages(whole))
  expect(countOf(reader, 'resync')).toBe(0)
})

test('Two servers on one file: readers of each get what is published at either, in order, once', async ({
  start,
}) => {
  const servers = await Promise.all([start(), start()])
  const readers = servers.map(({ url }) => {
    const reader = createStreamReader()
    return { reader, ended: reader.connect(`${url}/events/shared?since=all`) }
  })
  await Promise.all(readers.map(({ reader }) => reader.until(({ type }) => type === 'connected')))

  await Promise.all(
    servers.map(({ url }, index) => publishAll(url, 'shared', numbered(250, `${index} `))),
  )
  await Promise.all(
    readers.map(({ reader }) => reader.until(() => messages(reader).length === 500)),
  )

  const [one, other] = readers.map(({ reader }) => messages(reader))
  expect(one).toEqual(other)
  expect(new Set(one?.map(({ data }) => data)).size).toBe(500)
  for (const { reader, ended } of readers) {
    reader.disconnect()
    await ended
  }
})

test('A reader that moves between two servers on one file hundreds of times hears no resync @soak', async ({
  start,
  isSoak,
}) => {
  const moves = isSoak ? 1_000 : 200
  const servers = await Promise.all([start(), start()])
  const reader = createStreamReader()
  const moved = new AbortController()
  let published = 0
  const publishing = (async () => {
    while (!moved.signal.aborted) {
      const { url } = servers[published % 2] ?? servers[0]
      await publish(url, 'moving', `${published++}`)
    }
  })()

  for (let move = 1; move <= moves; move++) {
    const { url } = servers[move % 2] ?? servers[0]
    const ended = reader.connect(`${url}/events/moving?since=all`)
    await reader.until(() => countOf(reader, 'connected') === move)
    reader.disconnect()
    await ended
  }
  moved.abort()
  await publishing
  const ended = reader.connect(`${servers[0].url}/events/moving?since=all`)
  await reader.until(() => messages(reader).length === published)
  reader.disconnect()
  await ended

  expect(countOf(reader, 'resync')).toBe(0)
  const notResumed = reader.events.filter(
    ({ type, data }) => type === 'connected' && data.includes('"resumed":false'),
  )
  expect(notResumed).toHaveLength(1)
  expect(messages(reader).map(({ data }) => data)).toEqual(numbered(published))
})
