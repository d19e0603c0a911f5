/** Runs over HTTP, of a server of Next. */
import { createStreamReader } from '../../test/readers/stream-reader'
import { asPublisher } from '../../test/requests/publisher'
import { expect, test } from '../../test/fixtures/server-test'

test('An app of Next serves runs of other programs, in front of Next and behind it', async ({
  server,
}) => {
  const ask = async (query: string, body = ''): Promise<number> => {
    const url = `${server.url}/events/work.next?${query}`
    return (await fetch(url, { method: 'POST', body, headers: asPublisher })).status
  }
  const reader = createStreamReader({ headers: asPublisher })

  expect(await ask('run=r1&op=begin')).toBe(201)
  const reading = reader.connect(`${server.url}/events/work.next?run=latest`)
  expect(await ask('run=r1', 'one')).toBe(201)
  expect(await ask('run=r1&op=end')).toBe(200)
  await reading

  const types = reader.events.map(({ type }) => type)
  // A ping says that the reader has caught up: before the first value, or after it.
  expect(types.filter((type) => type !== 'ping')).toEqual([
    'connected',
    'run.state',
    'run.begin',
    'message',
    'run.end',
    'end',
  ])
  expect(await ask('run=r1', 'late')).toBe(409)
})
