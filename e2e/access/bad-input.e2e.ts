/** Wrong input, by mistake or on purpose: the client gets an error, nothing is half done, and the server continues. */
import { expect, test } from '../../test/fixtures/server-test'
import { readEvents } from '../../test/readers/read-events'
import { readHistory } from '../../test/readers/read-history'
import { readDocumentedRefusals } from '../../test/requests/documented-refusals'
import { codeOf, idsOf, tryPublish } from '../../test/requests/publish'
import { sendRequest } from '../../test/requests/send-request'

const ndjson = { 'content-type': 'application/x-ndjson' }
const json = { 'content-type': 'application/json' }

interface BadRequest {
  what: string
  /** After `/events/`. */
  rest?: string
  headers?: Record<string, string>
  body?: string | Uint8Array
  refusal: string
  detail?: RegExp
}

function topics(count: number): string {
  return Array.from({ length: count }, (_, index) => `t${index}`).join(',')
}

function lines(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${index}`)
}

const statuses = readDocumentedRefusals()

const badPublishes: BadRequest[] = [
  { what: 'two topics', rest: 'bad,other', refusal: 'too-many-topics' },
  { what: 'an empty topic', rest: 'bad,', refusal: 'invalid-topic' },
  { what: 'a topic that begins with a dot', rest: '.bad', refusal: 'invalid-topic' },
  { what: 'a topic of 65 characters', rest: 'x'.repeat(65), refusal: 'invalid-topic' },
  { what: 'a topic with a space', rest: 'b%20d', refusal: 'invalid-topic' },
  { what: 'a path that is not UTF-8', rest: '%ff', refusal: 'malformed-path' },
  { what: 'no body', body: '', refusal: 'empty-body' },
  { what: 'no line but blank ones', headers: ndjson, body: '\n \n\r\n', refusal: 'empty-body' },
  { what: 'text that is not UTF-8', body: Buffer.from([0x68, 0xff]), refusal: 'invalid-utf8' },
  {
    what: 'JSON that is cut off in the middle of a character',
    headers: json,
    body: Buffer.from('"😀"').subarray(0, 3),
    refusal: 'invalid-utf8',
  },
  { what: 'JSON that is none', headers: json, body: '{"a":', refusal: 'invalid-json' },
  {
    what: 'JSON after a byte order mark and another',
    headers: json,
    body: '\uFEFF\uFEFF1',
    refusal: 'invalid-json',
  },
  {
    what: 'a bad line among 600',
    headers: ndjson,
    body: lines(600).with(499, 'oops').join('\n'),
    refusal: 'invalid-json',
    detail: /\b500\b/,
  },
  {
    what: 'a line of more than 64 KiB',
    headers: ndjson,
    body: `1\n"${'x'.repeat(65_535)}"\n2`,
    refusal: 'event-too-large',
    detail: /\b2\b/,
  },
  { what: 'an event of 64 KiB and a byte', body: 'x'.repeat(65_537), refusal: 'event-too-large' },
  {
    what: 'a body of 8 MiB and a byte',
    headers: ndjson,
    body: Buffer.alloc(8 * 1024 * 1024 + 1, '1\n'),
    refusal: 'body-too-large',
  },
  {
    what: '10,001 events',
    headers: ndjson,
    body: lines(10_001).join('\n'),
    refusal: 'too-many-events',
  },
  ...['connected', 'ping', 'resync', 'reconnect', 'end', 'open', 'error'].map((type) => ({
    what: `the reserved type ${type}`,
    rest: `bad?type=${type}`,
    refusal: 'reserved-type',
  })),
  ...['', '.a', ':a', 'a%20b', 'a%0Ab', 'a%00', '%C3%A9', '%ff', 'a,b', 'x'.repeat(129)].map(
    (type) => ({
      what: `the type ${type.slice(0, 20)}`,
      rest: `bad?type=${type}`,
      refusal: 'invalid-type',
    }),
  ),
  ...[
    'application/octet-stream',
    'multipart/form-data; boundary=x',
    'text/plain; charset=latin1',
    'application/json; charset=utf-16',
    'text',
  ].map((type) => ({
    what: type,
    headers: { 'content-type': type },
    refusal: 'unsupported-media-type',
  })),
  {
    what: 'a compressed body',
    headers: { 'content-encoding': 'gzip' },
    refusal: 'unsupported-media-type',
  },
  ...['', 'x'.repeat(256), 'two words', 'caf\u00e9'].map((key) => ({
    what: `the key ${key.slice(0, 20)}`,
    headers: { 'idempotency-key': key },
    refusal: 'invalid-idempotency-key',
  })),
  ...['cross-site', 'same-site', 'anything'].map((site) => ({
    what: `Sec-Fetch-Site: ${site}`,
    headers: { 'sec-fetch-site': site },
    refusal: 'cross-site',
  })),
  ...['https://evil.example', 'null', ''].map((origin) => ({
    what: `Origin: ${origin}`,
    headers: { origin },
    refusal: 'cross-site',
  })),
]

const badReads: BadRequest[] = [
  { what: '33 topics', rest: topics(33), refusal: 'too-many-topics' },
  { what: 'an empty topic', rest: 'a,,b', refusal: 'invalid-topic' },
  { what: 'a topic by no grammar', rest: 'a,-b', refusal: 'invalid-topic' },
  { what: 'a path that is not UTF-8', rest: '%ff', refusal: 'malformed-path' },
  { what: 'a path out of the folder', rest: '..%2f..%2fetc%2fpasswd', refusal: 'invalid-topic' },
  ...[
    '..',
    'news',
    'x'.repeat(8_192),
    'k3f9.',
    'k3f9.007',
    'k3f9.-1',
    'k3f9.12345678901234567',
    'k3f9.1%0A',
    'K3F9.1',
  ].map((cursor) => ({
    what: `the cursor ${cursor.slice(0, 25)}`,
    rest: `a?lastEventId=${cursor}`,
    refusal: 'invalid-cursor',
  })),
  {
    what: 'a cursor of 8 kB in the header',
    rest: 'a',
    headers: { 'last-event-id': 'x'.repeat(8_192) },
    refusal: 'invalid-cursor',
  },
  ...[
    'last=1001',
    'last=-1',
    'last=',
    'since=10',
    'since=1y',
    'last=1&since=1s',
    'envelope=2',
    'reader=x',
  ].map((query) => ({ what: query, rest: `a?${query}`, refusal: 'invalid-query' })),
]

test('Every bad publish is refused for what is wrong with it, and none leaves a trace', async ({
  server,
}) => {
  const before = idsOf(await tryPublish(server.url, 'bad', 'before'))

  for (const { what, rest = 'bad', headers, body = 'hello', refusal, detail } of badPublishes) {
    await test.step(what, async () => {
      const answer = await tryPublish(server.url, rest, body, headers)

      expect(codeOf(answer)).toBe(refusal)
      expect(answer.status).toBe(statuses.get(refusal))
      expect(JSON.parse(answer.body)).toMatchObject({
        status: answer.status,
        title: expect.stringMatching(/./),
        detail: expect.stringMatching(detail ?? /./),
      })
    })
  }

  const kept = await readHistory(server.url, 'bad')
  expect(kept.map(({ id }) => id)).toEqual(before)
  expect(await readHistory(server.url, 'other')).toEqual([])
})

test('Every bad read is refused for what is wrong with it, and HEAD says the same', async ({
  server,
}) => {
  for (const { what, rest = '', headers = {}, refusal } of badReads) {
    await test.step(what, async () => {
      const answer = await sendRequest(server.url, `/events/${rest}`, { headers })
      const head = await sendRequest(server.url, `/events/${rest}`, { method: 'HEAD', headers })

      expect(codeOf(answer)).toBe(refusal)
      expect(answer.status).toBe(statuses.get(refusal))
      expect(head.status).toBe(answer.status)
      expect(head.body).toBe('')
    })
  }
  expect(await server.openStreams()).toBe(0)
})

test('What is just within the limits is taken', async ({ server }) => {
  const many = await sendRequest(server.url, `/events/${topics(32)}`)
  const large = await tryPublish(server.url, 'limits', 'x'.repeat(65_536))
  const count = await tryPublish(server.url, 'limits', lines(10_000).join('\n'), ndjson)

  expect(many.status).toBe(200)
  expect(idsOf(large)).toHaveLength(1)
  expect(new Set(idsOf(count)).size).toBe(10_000)
  const [first, ...rest] = await readHistory(server.url, 'limits')
  expect(first?.data).toHaveLength(65_536)
  expect(rest.map(({ data }) => data)).toEqual(lines(10_000))
})

test('One key publishes one body once, and is refused for another', async ({ server }) => {
  const key = { 'idempotency-key': 'order-4711' }

  const answers = await Promise.all(
    Array.from({ length: 20 }, () => tryPublish(server.url, 'once', 'hello', key)),
  )
  const other = await tryPublish(server.url, 'once', 'hallo', key)
  const otherType = await tryPublish(server.url, 'once?type=greeting', 'hello', key)

  const [ids] = new Set(answers.map((answer) => JSON.stringify(idsOf(answer))))
  for (const answer of answers) expect(JSON.stringify(idsOf(answer))).toBe(ids)
  const replayed = answers.filter(({ headers }) => headers['idempotency-replayed'] === 'true')
  expect(replayed).toHaveLength(19)
  expect([codeOf(other), codeOf(otherType)]).toEqual([
    'idempotency-conflict',
    'idempotency-conflict',
  ])
  const kept = await readHistory(server.url, 'once')
  expect(JSON.stringify(kept.map(({ id }) => id))).toBe(ids)
})

test('Cursors that were never given are answered with resync', async ({ server }) => {
  const [id = ''] = idsOf(await tryPublish(server.url, 'forged', 'hello'))
  const epoch = id.slice(0, id.indexOf('.'))

  for (const [cursor, reason] of [
    [`${epoch}.9999999999999999`, 'future'],
    [`${epoch}.9007199254740993`, 'future'],
    [`othr.${id.slice(epoch.length + 1)}`, 'epoch'],
    ['othr.9999999999999999', 'epoch'],
  ]) {
    const response = await fetch(`${server.url}/events/forged?lastEventId=${cursor}`)
    const stream = readEvents(response)

    const connected = await stream.next()
    const resync = await stream.next()
    const event = await stream.next()
    await stream.return(undefined)

    expect(connected.value?.id).toBe(cursor)
    expect(resync.value?.event).toBe('resync')
    expect(JSON.parse(resync.value?.data ?? '')).toEqual({
      reason,
      from: cursor,
      oldest: id,
      topics: ['forged'],
    })
    expect(event.value).toMatchObject({ id, data: 'hello' })
  }
  await expect.poll(server.openStreams).toBe(0)
})

for (const method of ['PUT', 'PATCH', 'DELETE']) {
  test(`${method} is answered with 405`, async ({ server }) => {
    const answer = await sendRequest(server.url, '/events/news', { method, body: 'hello' })

    expect(answer.status).toBe(405)
  })
}
