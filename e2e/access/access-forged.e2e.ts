/** A client without a token tries to read a topic that needs one. */
import { faultsIn } from '../../test/servers/faults-in'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { asPublisher } from '../../test/requests/publisher'
import { openRequest, sendRequest } from '../../test/requests/send-request'
import { expect, test as base } from '../../test/fixtures/server-test'
import type { RunningServer } from '../../test/servers/start-server'

const kept = 'what nobody else may know'

/** A server with an event in `guarded.news`, where only `open.*` is public. */
const test = base.extend<{ guarded: RunningServer }>({
  guarded: async ({ start }, use) => {
    const server = await start({ env: { PUBLIC_TOPICS: 'open.*', LIMIT_PUBLISH: '0' } })
    const { status } = await sendRequest(server.url, '/events/guarded.news', {
      method: 'POST',
      headers: asPublisher,
      body: kept,
    })
    expect(status).toBe(201)
    await use(server)
    expect(faultsIn(server.output())).toEqual([])
  },
})

const paths = [
  'guarded.news',
  'open.news,guarded.news',
  'guarded.news,open.news',
  'open.news%2Cguarded.news',
  'open.news%2cguarded.news',
  'open.news%252Cguarded.news',
  'guarded%2Enews',
  '%67uarded.news',
  'guarded.news%00',
  'guarded.news%20',
  'guarded.news%0a',
  'open.news/../guarded.news',
  'open.news%2f..%2fguarded.news',
  '..%2fevents%2fguarded.news',
  './guarded.news',
  '/guarded.news',
  'guarded.news/',
  'guarded.news/.',
  '%2e/guarded.news',
  'open.news;guarded.news',
  'open.news|guarded.news',
  'open.news\\guarded.news',
  '*',
  'guarded.*',
  '__proto__',
  'constructor,guarded.news',
  'open.*',
  'open.,guarded.news',
  '%EF%BD%87uarded.news',
  'gu%C3%A4rded.news',
  'guarded%E2%80%A4news',
  '%c0%ae%c0%ae/guarded.news',
  `${'x'.repeat(8_192)},guarded.news`,
  `guarded.news${'%00'.repeat(2_000)}`,
].map((rest) => `/events/${rest}`)

const addresses = [
  ...paths,
  '//events/guarded.news',
  '/EVENTS/guarded.news',
  '/topics/../events/guarded.news',
  '/./events/guarded.news',
  '/events//guarded.news',
  '/events%2Fguarded.news',
  '/_next/../events/guarded.news',
  '/_next/image?url=%2Fevents%2Fguarded.news&w=640&q=75',
  '/_next/data/build/events/guarded.news.json',
]

const headerTricks: Record<string, string>[] = [
  {},
  { 'x-middleware-subrequest': 'proxy:proxy:proxy:proxy:proxy' },
  { 'x-original-url': '/events/open.news', 'x-rewrite-url': '/events/open.news' },
  { 'x-forwarded-host': 'localhost', 'x-forwarded-for': '127.0.0.1' },
  { 'x-http-method-override': 'GET', 'x-user': 'admin', authorization: 'Basic YWRtaW46YWRtaW4=' },
  { rsc: '1', 'next-router-prefetch': '1' },
]

test('No address and no header reads a topic that takes a token', async ({ guarded }) => {
  for (const path of addresses) {
    for (const headers of headerTricks) {
      const query = path.includes('?') ? '' : '?since=all'
      const { status, body } = await sendRequest(guarded.url, path + query, { headers })

      const asked = `${path.slice(0, 80)} ${JSON.stringify(headers)}`
      expect(status, asked).toBeLessThan(500)
      expect(body, asked).not.toContain(kept)
      expect(body, asked).not.toContain('event: connected')
    }
  }
  await expect.poll(guarded.openStreams).toBe(0)
})

test('Nothing sent along makes up a header, a token or a right', async ({ guarded }) => {
  for (const query of [
    'access_token=%0d%0aSet-Cookie:%20a=b',
    'access_token[]=x&access_token[__proto__]=x',
    'access_token=null&access_token=undefined',
    'since=all&__proto__[isOpen]=true&constructor[prototype][isOpen]=true',
    'lastEventId=k3f9.1%0d%0aSet-Cookie:%20a=b',
  ]) {
    const { status, headers, body } = await sendRequest(
      guarded.url,
      `/events/guarded.news?${query}`,
    )
    expect([400, 401], query).toContain(status)
    expect(headers['set-cookie']).toBeUndefined()
    expect(body).not.toContain(kept)
  }

  const polluting =
    '{"__proto__":{"isOpen":true,"publish":["*"]},"constructor":{"prototype":{"isOpen":true}}}'
  const json = { 'content-type': 'application/json' }
  const taken = await sendRequest(guarded.url, '/events/open.news', {
    method: 'POST',
    headers: { ...asPublisher, ...json },
    body: polluting,
  })
  const refused = await sendRequest(guarded.url, '/events/open.news', {
    method: 'POST',
    headers: json,
    body: polluting,
  })
  const { request, answer } = openRequest(guarded.url, '/events/open.news?since=all')
  request.end()

  expect([taken.status, refused.status]).toEqual([201, 401])
  expect((await answer).body).toContain('event: connected')
})

test('A head that is none, or that has two lengths, is refused by itself', async ({ guarded }) => {
  const { hostname, port } = new URL(guarded.url)
  const smuggled = 'GET /events/guarded.news?since=all HTTP/1.1\r\nHost: x\r\n\r\n'
  const heads = [
    `POST /events/open.news HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    `POST /events/open.news HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nhello${smuggled}`,
    `GET /events/open.news HTTP/1.1\r\nHost: x\r\nLast-Event-ID: k3f9.1\nevent: forged\r\n\r\n`,
    `GET /events/open.news HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\rb\r\n\r\n`,
    `GET /events/open.news HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
  ]

  for (const head of heads) {
    const socket = connect({ host: hostname, port: Number(port) })
    socket.write(head)
    const answer = await text(socket)

    expect(answer, head.slice(0, 120)).toMatch(/^HTTP\/1\.1 4(00|31) /)
    expect(answer).not.toContain(kept)
  }
})
