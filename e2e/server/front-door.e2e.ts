/** The front door gives the same answers as Next: each request is sent to a server with the door, and to one without. */
import {
  comparable,
  doors,
  exchange,
  expect,
  isTaken,
  test,
  withoutIds,
} from '../../test/fixtures/door-test'
import { asPublisher, signToken } from '../../test/requests/publisher'
import { sendRequest, type RequestOptions } from '../../test/requests/send-request'

interface Sent extends RequestOptions {
  path?: string
  body?: string
}

const post = { method: 'POST', headers: asPublisher }
const as = (headers: Record<string, string>): Sent => ({
  ...post,
  headers: { ...asPublisher, ...headers },
})
const reader = signToken({ sub: 'ann', events: { subscribe: ['*'] } })

const taken: Record<string, Sent> = {
  'a stream': {},
  'a stream for a client that takes gzip': { headers: { 'accept-encoding': 'gzip, br' } },
  'a stream of several topics': { path: '/events/one,two?last=1' },
  'a stream of a reader': { headers: { authorization: `Bearer ${reader}` } },
  'a stream of a reader, by the query': { path: `/events/news?access_token=${reader}` },
  'a stream of another reader than before': { path: '/events/news?reader=AAAAAAAAAAAAAAAA' },
  'a stream for a page elsewhere': { headers: { origin: 'https://a.example' } },
  'a stream with a body': { headers: { 'content-length': '2' }, body: 'ab' },
  'a stream whose query has Next’s own names': {
    path: '/events/news?nxtPtopics=two&topics=three&__nextLocale=fr&_rsc=1',
  },
  'a stream with a fragment': { path: '/events/news?last=1#a' },
  'a cursor that is none': { path: '/events/news?lastEventId=x' },
  'a query that cannot be decoded': { path: '/events/news?since=%zz&last=%' },
  'a start that is none': { path: '/events/news?since=soon' },
  'a topic that is none': { path: '/events/-' },
  'an empty topic': { path: '/events/a,,b' },
  'three dots': { path: '/events/...' },
  'too many topics': { path: `/events/${Array.from({ length: 33 }, (_, n) => `t${n}`).join(',')}` },
  'a topic that looks like a file of Next’s': { path: '/events/news.rsc' },
  'a topic that looks like data of Next’s': { path: '/events/news.json' },
  'a token that does not hold': { headers: { authorization: 'Bearer x.y.z' } },
  HEAD: { method: 'HEAD' },
  'HEAD of a topic that is none': { method: 'HEAD', path: '/events/-' },
  OPTIONS: { method: 'OPTIONS' },
  'a preflight': {
    method: 'OPTIONS',
    headers: {
      origin: 'https://a.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
    },
  },
  'a preflight for a page that may not': {
    method: 'OPTIONS',
    headers: { origin: 'https://b.example', 'access-control-request-method': 'POST' },
  },
  'an event': { ...post, body: 'hello' },
  'an event of a type': { ...post, path: '/events/news?type=greeting', body: 'hello' },
  'events in lines': { ...as({ 'content-type': 'application/x-ndjson' }), body: '1\n2\n' },
  'an event in chunks': { ...as({ 'transfer-encoding': 'chunked' }), body: 'hello' },
  'an event as a server action': { ...as({ 'next-action': 'x' }), body: 'hello' },
  'an event as data of Next’s': { ...as({ 'x-nextjs-data': '1' }), body: 'hello' },
  'an event once': { ...as({ 'idempotency-key': 'once' }), body: 'hello' },
  'an event once more': { ...as({ 'idempotency-key': 'once' }), body: 'hello' },
  'a key for another event': { ...as({ 'idempotency-key': 'once' }), body: 'other' },
  'an event for two topics': { ...post, path: '/events/one,two', body: 'hello' },
  'no token': { method: 'POST', body: 'hello' },
  'another site': { ...as({ 'sec-fetch-site': 'cross-site' }), body: 'hello' },
  'an empty body': { ...post, body: '' },
  'a body that is no JSON': { ...as({ 'content-type': 'application/json' }), body: '{' },
  'a body that is packed': { ...as({ 'content-encoding': 'gzip' }), body: 'hello' },
  'a body of another type': { ...as({ 'content-type': 'image/png' }), body: 'hello' },
  'a type that is ours': { ...post, path: '/events/news?type=ping', body: 'hello' },
  'an event that is too large': { ...post, body: 'x'.repeat(70_000) },
  'many events': {
    ...as({ 'content-type': 'application/x-ndjson', 'accept-encoding': 'identity' }),
    body: '1\n'.repeat(2_000),
  },
}

const leftToNext: Record<string, Sent> = {
  PUT: { method: 'PUT', body: 'hello' },
  PATCH: { method: 'PATCH', body: 'hello' },
  DELETE: { method: 'DELETE' },
  'a stream as a component': { headers: { rsc: '1', 'next-router-prefetch': '1' } },
  'an event as a component': { ...as({ rsc: '1' }), body: 'hello' },
  PROPFIND: { method: 'PROPFIND' },
  'a slash at the end': { path: '/events/news/' },
  'an event with a slash at the end': { ...post, path: '/events/news/', body: 'hello' },
  'the route above': { path: '/events' },
  'a deeper path': { path: '/events/news/more' },
  'a neighbour': { path: '/eventsnews/a' },
  'upper case': { path: '/Events/news' },
  'an encoded letter': { path: '/events/new%73' },
  'an encoded mount': { path: '/%65vents/news' },
  'an encoded slash': { path: '/events/a%2Fb' },
  'an encoded dot': { path: '/events/%2e%2e' },
  'what can’t be decoded': { path: '/events/%ff' },
  'a null': { path: '/events/a%00b' },
  'a dot': { path: '/events/.' },
  'two dots': { path: '/events/..' },
  'dots before': { path: '/x/../events/news' },
  'two slashes': { path: '/events//news' },
  'two slashes before': { path: '//events/news' },
  'a semicolon': { path: '/events/a;b' },
  'a colon': { path: '/events/a:b' },
  'an at sign': { path: '/events/@a' },
  'a backslash': { path: '/events\\news' },
  'an asterisk': { path: '*', method: 'OPTIONS' },
}

for (const [isByDoor, requests] of [
  [true, taken],
  [false, leftToNext],
] as const) {
  test(`What the door ${isByDoor ? 'takes' : 'leaves to Next'} is answered as Next answers it`, async ({
    both,
  }) => {
    for (const [name, { path = '/events/news', ...options }] of Object.entries(requests)) {
      await test.step(name, async () => {
        const ours = await sendRequest(both.auto.url, path, options)
        const nexts = await sendRequest(both.off.url, path, options)

        expect.soft(comparable(ours), name).toEqual(comparable(nexts))
        expect.soft(isTaken(ours.headers), name).toBe(isByDoor)
        expect.soft(isTaken(nexts.headers), name).toBe(false)
      })
    }
    for (const server of Object.values(both)) await expect.poll(server.openStreams).toBe(0)
  })
}

/** Requests that no client library sends. */
const raw: Record<string, string> = {
  'an absolute target': 'GET http://localhost/events/news HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'an absolute target elsewhere': 'GET http://b.example/events/news HTTP/1.1\r\nHost: a\r\n\r\n',
  'two hosts': 'GET /events/news HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  'a host that is none': 'GET /events/news HTTP/1.1\r\nHost: [\r\n\r\n',
  'an empty host': 'GET /events/news HTTP/1.1\r\nHost:\r\n\r\n',
  'no host': 'GET /events/news HTTP/1.1\r\nConnection: close\r\n\r\n',
  'HTTP/1.0': 'GET /events/news HTTP/1.0\r\n\r\n',
  'HTTP/1.0, for a page': 'GET / HTTP/1.0\r\n\r\n',
  'HTTP/1.0, from a host of its own': 'GET /events/news HTTP/1.0\r\nX-Forwarded-Host: a\r\n\r\n',
  'HTTP/1.0, publishing': `POST /events/other HTTP/1.0\r\nAuthorization: ${asPublisher.authorization}\r\nContent-Length: 2\r\n\r\nhi`,
  'letters beyond ASCII': 'GET /events/\u00e4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'a space': 'GET /events/a b HTTP/1.1\r\nHost: a\r\n\r\n',
  'a fragment': 'GET /events/news#a HTTP/1.1\r\nHost: a\r\n\r\n',
  'no target': 'GET  HTTP/1.1\r\nHost: a\r\n\r\n',
  'a flood of headers': `GET /events/news HTTP/1.1\r\nHost: a\r\n${`X-Flood: ${'x'.repeat(1_000)}\r\n`.repeat(20)}\r\n`,
  'an expectation that is none':
    'GET /events/news HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\nConnection: close\r\n\r\n',
  'a length that is none': 'POST /events/news HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n',
  'two framings':
    'POST /events/news HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
}

test('What no client library sends is answered as Next answers it', async ({ both }) => {
  const isEnough = (received: string): boolean => received.includes('event: ')
  await Promise.all(
    Object.entries(raw).map(async ([name, text]) => {
      const [ours = '', nexts] = await Promise.all(
        doors.map((door) => exchange(both[door].url, text, isEnough)),
      )

      expect.soft(outlineOf(ours), name).toEqual(outlineOf(nexts))
      if (text.includes(' HTTP/1.0')) expect.soft(ours, name).toMatch(/^HTTP\/1\.1 20[01] /)
    }),
  )
  for (const server of Object.values(both)) await expect.poll(server.openStreams).toBe(0)
})

/** The status line, and the body without its framing. */
function outlineOf(answer = ''): unknown {
  const [head = '', ...body] = answer.split('\r\n\r\n')
  const unframed = body.join('\r\n\r\n').replaceAll(/(?:^|\r\n)[0-9a-f]+(?=\r\n)/g, '')
  if (head.includes('text/html')) return head.split('\r\n', 1)
  return [head.split('\r\n', 1), withoutIds(unframed).replaceAll('\r\n', '')]
}

test('The journal says once that the door is open, and for what', async ({ both }) => {
  const said = (door: keyof typeof both): number =>
    both[door]
      .output()
      .split('The front door is open for /events/[topics]: GET, HEAD, POST, OPTIONS.').length - 1

  expect([said('auto'), said('off')]).toEqual([1, 0])
  expect(both.off.output()).not.toContain('front door')
})
