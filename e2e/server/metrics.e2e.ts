/** What an operator sees: metrics that follow what happens, and a log that a program can read. */
import { asPublisher } from '../../test/requests/publisher'
import { createStreamReader } from '../../test/readers/stream-reader'
import { expect, test } from '../../test/fixtures/redis-test'

test('The figures tell what was published, delivered, refused and missing', async ({ start }) => {
  const server = await start({ env: { MAX_STREAMS: '2' } })
  const news = `${server.url}/events/news`
  const readers = [createStreamReader(), createStreamReader({ lastEventId: 'anotherlog.7' })]
  const reading = readers.map((reader) => reader.connect(news))
  await expect.poll(server.openStreams).toBe(2)

  await createStreamReader().connect(news)
  for (const data of ['1', '2', '3']) {
    const response = await fetch(news, { method: 'POST', headers: asPublisher, body: data })
    expect(response.status).toBe(201)
  }
  await fetch(`${news}?type=ping`, { method: 'POST', headers: asPublisher, body: 'x' })
  await Promise.all(readers.map((reader) => reader.until(({ data }) => data === '3')))

  const figures = {
    sse_open_streams: 2,
    sse_slowest_stream_lag_events: 0,
    sse_events_appended_total: 3,
    sse_events_delivered_total: 6,
    'sse_resyncs_total{reason="epoch"}': 1,
    'sse_refusals_total{reason="too-many-streams"}': 1,
    'sse_refusals_total{reason="reserved-type"}': 1,
    sse_publish_duration_seconds_count: 3,
  }
  for (const [name, value] of Object.entries(figures)) {
    await expect.poll(() => server.metric(name), { message: name }).toBe(value)
  }
  for (const name of [
    'sse_delivered_bytes_total',
    'sse_delivered_chunks_total',
    'sse_flush_duration_seconds_count',
    'sse_delivery_latency_seconds_count',
  ]) {
    expect(await server.metric(name), name).toBeGreaterThan(0)
  }

  for (const reader of readers) reader.disconnect()
  await Promise.all(reading)
  await expect.poll(server.openStreams).toBe(0)
})

test('Of an outage the log tells in two lines of JSON, and of events nothing', async ({
  redis,
  startOnRedis,
}) => {
  const server = await startOnRedis()
  const secret = 'a word that only an event has'
  const publish = async (): Promise<number> => {
    const options = { method: 'POST', headers: asPublisher, body: secret }
    return (await fetch(`${server.url}/events/news`, options)).status
  }
  const lines = (): { level: string; msg: string; pid: number }[] =>
    server
      .output()
      .split('\n')
      .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as never] : []))
  await expect.poll(publish).toBe(201)

  await redis.kill()
  for (let n = 0; n < 3; n++) expect(await publish()).toBe(503)
  await redis.restart()
  await expect.poll(publish, { timeout: 20_000 }).toBe(201)

  await expect
    .poll(() => lines().map(({ level, msg }) => [level, msg]))
    .toEqual([
      ['info', expect.stringContaining('Anyone may read')],
      ['info', expect.stringContaining('createSse has `keep`: price.* keeps the newest event')],
      ['info', expect.stringContaining('The front door is open')],
      ['error', "The event log can't be written."],
      ['info', 'The event log can be written again.'],
    ])
  for (const { pid } of lines()) expect(pid).toBe(server.pid)
  expect(server.output()).not.toContain(secret)
})
