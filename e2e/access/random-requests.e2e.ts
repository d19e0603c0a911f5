/** Random HTTP requests of all kinds: the server answers every one, and keeps nothing of them. */
import { faultsIn } from '../../test/servers/faults-in'
import { Agent } from 'node:http'
import fc from 'fast-check'
import { readDocumentedRefusals } from '../../test/requests/documented-refusals'
import { asPublisher, publisherToken, signToken } from '../../test/requests/publisher'
import { readHistory } from '../../test/readers/read-history'
import { sendRequest, type Answer } from '../../test/requests/send-request'
import { expect, test } from '../../test/fixtures/server-test'

interface RandomRequest {
  method: string
  path: string
  headers: Record<string, string>
  body: string | Uint8Array | undefined
}

const connections = 16
const batch = 500

// Not TRACE, which Next itself answers with 500; nor CONNECT, on which Node closes the socket unasked.
const method = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('GET', 'POST') },
  { weight: 2, arbitrary: fc.constantFrom('HEAD', 'PUT', 'OPTIONS', 'DELETE', 'PATCH') },
  { weight: 1, arbitrary: fc.constantFrom('PROPFIND', 'MKCOL', 'PURGE', 'LINK', 'M-SEARCH') },
)

const topic = fc.oneof(
  fc.constantFrom('news', 'alerts', 'a.b-c_d', '0', 'constructor'),
  fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/),
)

const pathJunk = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '%ff',
        '%00',
        '%2F',
        '%2f',
        '%2C',
        '%2e%2e',
        '%',
        '%C3%A9',
        '%E0%A4',
        '%0d%0a',
      ),
      fc.constantFrom('..', '/', '//', '\\', ';', '@', ':', '&', '=', '+', '~', ',', '.', '-', '_'),
      fc.constantFrom("'", '"', '<', '>', '[', ']', '{', '|', '}', '^', '`', '*'),
      topic,
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(''))

const path = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .array(topic, { minLength: 1, maxLength: 3 })
      .map((list) => `/events/${list.join()}`),
  },
  { weight: 4, arbitrary: pathJunk.map((junk) => `/events/${junk}`) },
  { weight: 1, arbitrary: pathJunk.map((junk) => `/${junk}`) },
  { weight: 1, arbitrary: fc.nat(8_000).map((length) => `/events/${'x'.repeat(length)}`) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '/',
      '/events',
      '/events/',
      '//events/news',
      '/events/news/',
      '/events/../metrics',
      '/metrics',
      '/topics/news',
      '/icon.svg',
      '/favicon.ico',
      '/nothing',
      '/_next/static/none.js',
      '/_next/image?url=%2Fevents&w=640&q=75',
      '/_next/data/x/y.json',
    ),
  },
)

const cursor = fc.oneof(
  fc.constantFrom('', '..', 'hello.1', 'hello.3', 'k3f9x0ab.42', 'k3f9.9999999999999999'),
  fc.stringMatching(/^[a-z0-9]{4,16}\.[1-9][0-9]{0,15}$/),
  fc.nat(4_000).map((length) => 'x'.repeat(length)),
)

const grants = { subscribe: ['news', 'a.*'], publish: ['alerts', '0'] }

/** Valid tokens, invalid tokens, and texts that are no tokens. */
const token = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom(
      publisherToken,
      signToken({ sub: 'anna', events: grants }),
      signToken({ exp: 1, events: grants }),
      signToken({ events: grants }, { algorithm: 'none' }),
      signToken(JSON.parse('{"__proto__":{"events":{"publish":["*"]}},"events":[]}') as object),
    ),
    text,
  )

const latin1 = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .filter((code) => code !== 0x7f)
    .map((code) => String.fromCharCode(code)),
})

const query = fc
  .record(
    {
      type: fc.oneof(
        fc.constantFrom('message', 'order.paid', 'a:b/c', 'ping', 'end', ''),
        fc.string({ unit: 'binary' }),
      ),
      lastEventId: cursor,
      last: fc.oneof(fc.integer({ min: -1, max: 1_100 }).map(String), fc.constant('many')),
      since: fc.constantFrom('all', '10m', '7d', '0s', 'soon', '99999999999d'),
      envelope: fc.constantFrom('0', '1', '2', 'true'),
      reader: fc.oneof(fc.constantFrom('47DEQpj8HBSa-_TI', 'x', ''), latin1),
      _rsc: latin1,
      access_token: token(latin1),
    },
    { requiredKeys: [] },
  )
  .map((values) =>
    Object.entries(values)
      .map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`)
      .join('&'),
  )

const rawQuery = fc.constantFrom('', '?', '?%ff', '?type=%ff', '?=&&==', '?last=%', '?since[]=all')

const headerValues: Record<string, fc.Arbitrary<string>> = {
  'last-event-id': cursor,
  'idempotency-key': fc.oneof(fc.constantFrom('k1', 'k2', '', 'two words'), latin1),
  'content-type': fc.oneof(
    fc.constantFrom(
      'text/plain',
      'application/json',
      'application/x-ndjson',
      'text/plain; charset=latin1',
    ),
    fc.constantFrom(
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'image/png',
      '',
      ';',
      '/',
    ),
    latin1,
  ),
  'content-encoding': fc.constantFrom('identity', 'gzip', 'x'),
  'sec-fetch-site': fc.constantFrom('same-origin', 'none', 'cross-site', 'same-site', ''),
  origin: fc.constantFrom(
    'null',
    'https://evil.example',
    'https://allowed.example',
    'http://localhost',
    '',
    'x',
  ),
  'access-control-request-method': fc.constantFrom('POST', 'PUT', ''),
  host: fc.constantFrom('evil.example', 'localhost', '[::1]:1', 'a b', '', 'x:y:z', '%00'),
  accept: fc.constantFrom('text/event-stream', 'text/html', '*/*', 'image/png', ''),
  'accept-encoding': fc.constantFrom('gzip', 'identity', ''),
  authorization: fc.oneof(
    token(latin1).map((text) => `Bearer ${text}`),
    latin1,
  ),
  cookie: fc.oneof(
    token(latin1).map((text) => `events_token=${text}`),
    latin1,
  ),
  range: fc.constantFrom('bytes=0-1', 'bytes=-', 'x'),
  'if-none-match': fc.constantFrom('*', '"x"'),
  'x-forwarded-for': latin1,
  'x-forwarded-host': fc.constantFrom('evil.example', '', 'a b'),
  'x-forwarded-proto': fc.constantFrom('https', 'http', 'x,y', ''),
  'x-http-method-override': fc.constantFrom('DELETE', 'TRACE'),
  'x-middleware-subrequest': fc.constantFrom('proxy', 'middleware:middleware', ''),
  'x-junk': latin1,
  expect: fc.constant('100-continue'),
}

const headers = fc.array(
  fc.oneof(
    ...Object.entries(headerValues).map(([name, values]) =>
      values.map((value): [string, string] => [name, value]),
    ),
  ),
  { maxLength: 4 },
)

const body = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  { weight: 4, arbitrary: fc.string({ unit: 'grapheme', minLength: 1 }) },
  { weight: 3, arbitrary: fc.json() },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '{"__proto__":{"polluted":true}}',
      '{"constructor":{"prototype":{"polluted":true}}}',
    ),
  },
  { weight: 3, arbitrary: fc.array(fc.json()).map((values) => values.join('\n')) },
  { weight: 2, arbitrary: fc.uint8Array() },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 60_000, max: 300_000 }).map((size) => 'x'.repeat(size)),
  },
)

const anyRequest: fc.Arbitrary<RandomRequest> = fc
  .record({
    method,
    path,
    query: fc.oneof(
      query.map((text) => `?${text}`),
      rawQuery,
    ),
    headers,
    isChunked: fc.boolean(),
    body,
  })
  .map(({ method: verb, path: place, query: search, headers: list, isChunked, body: sent }) => ({
    method: verb,
    path: place.includes('?') ? place : place + search,
    headers: Object.fromEntries(
      isChunked && sent !== undefined ? [...list, ['transfer-encoding', 'chunked']] : list,
    ),
    body: sent,
  }))

const statuses = readDocumentedRefusals()

/** Refused by Next or by Node, before any handler of ours. */
const notOurs = new Set([404, 405, 409, 417, 431])

/** Next takes such a POST to any page for that of a server action, and answers a form that it can't parse with 500. */
function isForNext({ method: verb, path: place, headers: sent }: RandomRequest): boolean {
  const isForm = String(sent['content-type']).startsWith('multipart/form-data')
  return verb === 'POST' && isForm && !place.startsWith('/events/')
}

/** What is wrong with the answer, if anything. */
function faultOf(request: RandomRequest, answer: Answer): string | undefined {
  const { method: verb, path: place } = request
  const { status, headers: answered, body: text } = answer
  const isProblem = answered['content-type'] === 'application/problem+json'
  if (isProblem && verb !== 'HEAD') {
    const { code } = JSON.parse(text) as { code: string }
    return statuses.get(code) === status ? undefined : `${status} with code ${code}`
  }
  if (status === 500 && isForNext(request)) return undefined
  if (status >= 500 && !isProblem) return `${status}`
  const isOurs = place.startsWith('/events') && ['GET', 'HEAD', 'POST'].includes(verb)
  if (isOurs && status >= 400 && !isProblem && !notOurs.has(status)) return `${status}, no problem`
  return undefined
}

function summaryOf({
  method: verb,
  path: place,
  headers: sent,
  body: payload,
}: RandomRequest): string {
  const size = `${payload?.length ?? 'no'} characters or bytes`
  return `${verb} ${place.slice(0, 120)} ${JSON.stringify(sent).slice(0, 240)} ${size}`
}

test(
  'Random requests are all answered, and leave nothing behind',
  { tag: '@soak' },
  async ({ start, isSoak }) => {
    const total = isSoak ? 100_000 : 2_000
    const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))
    console.log(`SEED=${seed} repeats these ${total} random requests.`)
    const server = await start({
      env: {
        PUBLIC_TOPICS: 'news,a.*,after,marker',
        CORS_ORIGINS: 'https://allowed.example',
        // What each of them left behind would add up to more.
        NODE_OPTIONS: '--max-old-space-size=100',
      },
    })
    const agent = new Agent({ keepAlive: true, maxSockets: connections })
    const faults: string[] = []

    async function sendAll(requests: RandomRequest[]): Promise<void> {
      for (let request = requests.pop(); request; request = requests.pop()) {
        const sending = sendRequest(server.url, request.path, { ...request, agent })
        // A connection that broke is a fault too.
        const fault = await sending.then(faultOf.bind(undefined, request)).catch(String)
        if (fault !== undefined) faults.push(`${fault}: ${summaryOf(request)}`)
      }
    }
    for (let sent = 0; sent < total && faults.length < 20; sent += batch) {
      const requests = fc.sample(anyRequest, { numRuns: batch, seed: seed + sent })
      await Promise.all(Array.from({ length: connections }, () => sendAll(requests)))
    }
    agent.destroy()

    expect(faults, `${faults.length} faults with SEED=${seed}`).toEqual([])
    await expect.poll(server.openStreams).toBe(0)
    expect(faultsIn(server.output())).toEqual([])
    const published = await sendRequest(server.url, '/events/after', {
      method: 'POST',
      headers: asPublisher,
      body: 'ok',
    })
    expect(published.status).toBe(201)
    expect(await readHistory(server.url, 'after')).toMatchObject([{ data: 'ok' }])
  },
)
