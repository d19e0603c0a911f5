/** What a token grants while a stream is open, when it ends, and afterwards. */
import { signToken } from '../../test/requests/publisher'
import { readEvents } from '../../test/readers/read-events'
import { sendRequest } from '../../test/requests/send-request'
import { expect, test } from '../../test/fixtures/server-test'
import { createStreamReader } from '../../test/readers/stream-reader'
import { codeOf, publish } from '../../test/requests/publish'

test('When its token expires a stream ends, and goes on with another token where it was', async ({
  start,
}) => {
  const server = await start({ env: { PUBLIC_TOPICS: '', HEARTBEAT: '500ms', STALL: '10s' } })
  const events = { subscribe: ['news'] }
  const exp = Math.floor(Date.now() / 1_000) + 3
  const address = (token: string): string => `${server.url}/events/news?access_token=${token}`
  const reader = createStreamReader()

  const ended = reader.connect(address(signToken({ exp, events })))
  await reader.until(({ type }) => type === 'connected')
  await publish(server.url, 'news', 'one')
  await reader.until(({ data }) => data === 'one')
  await ended
  const endedAt = Date.now()
  await publish(server.url, 'news', 'two')
  const expired = await sendRequest(server.url, '/events/news?since=all', {
    headers: { authorization: `Bearer ${signToken({ exp, events })}` },
  })
  const another = reader.connect(address(signToken({ events })))
  await reader.until(({ data }) => data === 'two')
  reader.disconnect()
  await another

  expect(endedAt).toBeGreaterThanOrEqual(exp * 1_000)
  expect(endedAt).toBeLessThan(exp * 1_000 + 5_000)
  const told = reader.events.flatMap(({ type, data }) => (type === 'ping' ? [] : [[type, data]]))
  expect(told).toEqual([
    ['connected', expect.stringContaining('"resumed":false')],
    ['message', 'one'],
    ['reconnect', expect.stringContaining('"reason":"expired"')],
    ['connected', expect.stringContaining('"resumed":true')],
    ['message', 'two'],
  ])
  expect([expired.status, codeOf(expired)]).toEqual([401, 'invalid-token'])
  await expect.poll(server.openStreams).toBe(0)
})

test('A token that no longer grants a topic replays nothing of it', async ({ start }) => {
  const server = await start({ env: { PUBLIC_TOPICS: '' } })
  await publish(server.url, 'secret', 'kept')
  await publish(server.url, 'news', 'seen')
  const headers = { authorization: `Bearer ${signToken({ events: { subscribe: ['news'] } })}` }
  const history = await fetch(`${server.url}/events/news?since=all`, { headers })
  const stream = readEvents(history)
  await stream.next()
  const { value: seen } = await stream.next()
  await stream.return(undefined)

  const answers = await Promise.all(
    ['secret', 'news,secret', 'secret,news'].flatMap((topics) =>
      ['since=all', 'last=9', `lastEventId=${seen?.id}`].map((start_) =>
        sendRequest(server.url, `/events/${topics}?${start_}`, { headers }),
      ),
    ),
  )

  expect(seen).toMatchObject({ data: 'seen' })
  for (const answer of answers) {
    expect([answer.status, codeOf(answer)]).toEqual([403, 'not-granted'])
    expect(answer.body).not.toContain('kept')
  }
})

test('One publisher’s key is not another’s', async ({ server }) => {
  const publishAs = (sub: string, body: string) =>
    sendRequest(server.url, '/events/keys', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${signToken({ sub, events: { publish: ['keys'] } })}`,
        'idempotency-key': 'one',
      },
      body,
    })

  const anna = await publishAs('anna', 'from anna')
  const bert = await publishAs('bert', 'from bert')
  const again = await publishAs('anna', 'from anna')

  expect([anna.status, bert.status]).toEqual([201, 201])
  expect(bert.body).not.toBe(anna.body)
  expect(again.body).toBe(anna.body)
  expect(again.headers['idempotency-replayed']).toBe('true')
})
