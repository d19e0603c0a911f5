/** Next listens a moment before the app has started. What comes then is not watched, so no stream and no publish begins with it. */
import { openConnection, requestText, headText } from '../../test/requests/raw-connection'
import { asPublisher } from '../../test/requests/publisher'
import { expect, test } from '../../test/fixtures/server-test'

const env = { DRAIN: '60s', STALL: '60s' }

for (const command of ['start', 'standalone'] as const) {
  test(`Under ${command}, a stream asked for before the start is asked to come back, and a publish is refused for now`, async ({
    start,
  }) => {
    const server = await start({ command, env, isEarly: true })
    const reader = await openConnection(server.url)
    const publisher = await openConnection(server.url)

    reader.send(requestText('/events/news', { 'X-Forwarded-For': '192.0.2.1' }))
    publisher.send(headText('POST', '/events/news', { ...asPublisher, 'Content-Length': '9' }))

    await reader.closed
    expect(reader.received()).toMatch(/^HTTP\/1\.1 200 /)
    expect(reader.received()).toContain('event: reconnect')
    expect(reader.received()).toContain('"reason":"starting"')
    await expect.poll(publisher.received).toMatch(/^HTTP\/1\.1 503 /)
    expect(publisher.received()).toMatch(/\r\nretry-after: 1\r\n/i)
    expect(publisher.received()).toContain('"code":"unavailable"')
    publisher.destroy()
  })
}

test('A process told to stop before it has started ends, though a reader was there', async ({
  start,
}) => {
  const server = await start({ env, isEarly: true })
  const reader = await openConnection(server.url)
  const visitor = await openConnection(server.url)
  reader.send(requestText('/events/news'))
  // Node answers that at once.
  visitor.send(requestText('/health/ready', { Expect: '100-continue' }))
  await expect.poll(visitor.received, { intervals: [1] }).toContain('100 Continue')

  process.kill(server.pid, 'SIGTERM')

  await reader.closed
  await expect.poll(visitor.received).toContain('HTTP/1.1 200')
  // The connection is an old one, and goes on.
  visitor.send(requestText('/events/news'))
  await visitor.closed
  expect(visitor.received()).toContain('"reason":"drain"')
  expect(await server.exited).toBe(143)
})
