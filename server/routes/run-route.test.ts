import { setTimeout as sleep } from 'node:timers/promises'
import type { EventSourceMessage } from 'eventsource-parser'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { processEngine } from '@/server/engine'
import { metrics } from '@/server/observe/metrics'
import { createSse } from '@/server/sse/sse'
import { readAllEvents, readEvents } from '@/test/readers/read-events'

// The configuration is read on first use, not on import.
vi.stubEnv('EVENTS_URL', 'memory:')

const sse = createSse()
const { GET, POST } = sse.topicRoute
let topics = 0

afterAll(() => sse.close())

afterEach(async () => {
  expect(processEngine().uploads.heldBytes).toBe(0)
  expect((await metrics.openStreams.get()).values[0]?.value).toBe(0)
})

function newTopic(): string {
  return `run.${++topics}`
}

function read(rest: string, headers: Record<string, string> = {}): Promise<Response> {
  return GET(new Request(`http://localhost/events/${rest}`, { headers }))
}

/** Answers with the status, and the body. */
async function post(
  rest: string,
  body = '',
  headers: Record<string, string> = {},
): Promise<[number, Record<string, unknown>]> {
  const request = new Request(`http://localhost/events/${rest}`, { method: 'POST', body, headers })
  const response = await POST(request)
  return [response.status, (await response.json()) as Record<string, unknown>]
}

/** What a stream brings besides `connected`, until it ends. */
async function all(response: Response): Promise<unknown[]> {
  return (await readAllEvents(response)).slice(1).map(textOf)
}

async function first(response: Response, count: number): Promise<unknown[]> {
  const events: unknown[] = []
  const stream = readEvents(response)
  while (events.length < count + 1) {
    const { value, done } = await stream.next()
    if (done) throw new Error(`The stream ended after ${events.length} events.`)
    events.push(textOf(value))
  }
  await stream.return(undefined)
  return events.slice(1)
}

function textOf({ event, data }: EventSourceMessage): unknown {
  return event ? { [event]: JSON.parse(data) as unknown } : data
}

describe('GET with a run', () => {
  test('reads the run that began last, and ends with it', async () => {
    const topic = newTopic()
    await sse.publish(topic, 'message', 'before')
    const run = await sse.run(topic, async function* () {
      yield { data: 1 }
      yield { data: 2 }
    })
    await run.ended
    await sse.publish(topic, 'message', 'after')

    const events = await all(await read(`${topic}?run=latest`))
    const byId = await all(await read(`${topic}?run=${run.id}`))

    expect(events).toEqual([
      { 'run.state': { run: run.id, status: 'done' } },
      { 'run.begin': { run: run.id } },
      '1',
      '2',
      { 'run.end': { run: run.id, status: 'done' } },
      { end: {} },
    ])
    expect(byId).toEqual(events)
  })

  test('follows a living run until its end, and brings nothing of the next', async () => {
    const topic = newTopic()
    const run = await sse.run(topic, async function* ({ signal }) {
      yield { data: 1 }
      await sleep(60_000, undefined, { signal })
    })
    const reading = Promise.all(
      [`${topic}?run=latest`, `${topic}?run=${run.id}`].map(async (rest) => all(await read(rest))),
    )
    const next = await sse.run(topic, async function* () {}, { onLiving: 'replace' })
    await next.ended

    // A ping says that the reader has caught up: before the end, or not.
    const isPing = (event: unknown): boolean => JSON.stringify(event).startsWith('{"ping"')
    const [events, same] = (await reading).map((told) => told.filter((event) => !isPing(event)))

    const me = { run: run.id, reason: 'replaced' }
    expect(events).toEqual([
      { 'run.state': { run: run.id, status: 'running' } },
      { 'run.begin': { run: run.id } },
      '1',
      { 'run.stop': me },
      { 'run.end': { ...me, status: 'stopped' } },
      { end: {} },
    ])
    expect(same).toEqual(events)
  })

  test('a reader that comes back goes on after its cursor, and where it has all, the stream ends', async () => {
    const topic = newTopic()
    const run = await sse.run(topic, async function* () {
      yield { data: 1 }
      yield { data: 2 }
    })
    await run.ended
    const ids = (await readAllEvents(await read(`${topic}?run=latest`))).map(({ id }) => id)
    const from = async (id = ''): Promise<unknown[]> =>
      await all(await read(`${topic}?run=latest`, { 'Last-Event-ID': id }))

    const afterFirst = await from(ids[3])
    const afterLast = await from(ids[5])

    const state = { 'run.state': { run: run.id, status: 'done' } }
    const end = { 'run.end': { run: run.id, status: 'done' } }
    expect(afterFirst).toEqual([state, '2', end, { end: {} }])
    expect(afterLast).toEqual([state, { end: {} }])
  })

  test('answers 204 where there is none', async () => {
    const topic = newTopic()
    await sse.publish(topic, 'message', 'x')

    expect((await read(`${topic}?run=latest`)).status).toBe(204)
    expect((await read(`${topic}?run=unknown`)).status).toBe(204)
  })

  test('since=run begins with the run that began last, and goes on with the next', async () => {
    const topic = newTopic()
    const run = await sse.run(topic, async function* () {
      yield { data: 1 }
    })
    await run.ended
    const reading = first(await read(`${topic}?since=run`), 6)
    const next = await sse.run(topic, async function* () {
      yield { data: 2 }
    })

    expect(await reading).toEqual([
      { 'run.state': { run: run.id, status: 'done' } },
      { 'run.begin': { run: run.id } },
      '1',
      { 'run.end': { run: run.id, status: 'done' } },
      { 'run.begin': { run: next.id } },
      '2',
    ])
  })

  test('since=run says where there is no run, and waits for one', async () => {
    const topic = newTopic()
    await sse.publish(topic, 'message', 'x')
    const reading = first(await read(`${topic}?since=run`), 2)
    const run = await sse.run(topic, async function* () {})

    expect(await reading).toEqual([
      { 'run.state': { run: null, status: 'unknown' } },
      { 'run.begin': { run: run.id } },
    ])
  })

  test.each([
    '?run=a%20b',
    '?run=',
    '?run=latest&last=1',
    '?run=latest&since=all',
    ',other?run=latest',
    ',other?since=run',
  ])('refuses %s', async (query) => {
    const response = await read(`${newTopic()}${query}`)

    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ code: 'invalid-query' })
  })
})

describe('POST with a run', () => {
  test('a program in any language begins a run, publishes its values, and ends it', async () => {
    const topic = newTopic()

    const begun = await post(`${topic}?run=r1&op=begin`)
    const value = await post(`${topic}?run=r1&type=row`, '{"n":1}')
    const several = await post(`${topic}?run=r1&op=renew`, '1\n2', {
      'Content-Type': 'application/x-ndjson',
    })
    const renewed = await post(`${topic}?run=r1&op=renew`)
    const ended = await post(`${topic}?run=r1&op=end`, 'last')

    expect(begun).toMatchObject([201, { id: 'r1', status: 'running', joined: false }])
    expect(value).toEqual([201, { ids: [expect.any(String)], status: 'running' }])
    expect(several[1]['ids']).toHaveLength(2)
    expect(renewed).toEqual([201, { ids: [], status: 'running' }])
    expect(ended).toEqual([200, { id: 'r1', status: 'done' }])
    expect(await all(await read(`${topic}?run=latest`))).toEqual([
      { 'run.state': { run: 'r1', status: 'done' } },
      { 'run.begin': { run: 'r1' } },
      { row: { n: 1 } },
      '1',
      '2',
      'last',
      { 'run.end': { run: 'r1', status: 'done' } },
      { end: {} },
    ])
  })

  test('the cursor of its beginning brings all of it', async () => {
    const topic = newTopic()
    await post(topic, 'before')
    const [, { cursor }] = await post(`${topic}?run=r1&op=begin`)
    await post(`${topic}?run=r1`, 'one')

    const reader = await read(topic, { 'Last-Event-ID': cursor as string })

    expect(await first(reader, 2)).toEqual([{ 'run.begin': { run: 'r1' } }, 'one'])
    await post(`${topic}?run=r1&op=end`)
  })

  test('another run is joined, refused or replaced, as asked; replacing does not wait', async () => {
    const topic = newTopic()
    await post(`${topic}?run=r1&op=begin`)

    const again = await post(`${topic}?run=r1&op=begin`)
    const joined = await post(`${topic}?run=r2&op=begin`)
    const refused = await post(`${topic}?run=r2&op=begin&onLiving=refuse`)
    const replacing = await post(`${topic}?run=r2&op=begin&onLiving=replace`)
    const heard = await post(`${topic}?run=r1`, 'last words')
    await post(`${topic}?run=r1&op=end&status=stopped`)
    const begun = await post(`${topic}?run=r2&op=begin&onLiving=replace`)

    const living = { id: 'r1', status: 'running' }
    expect(again).toMatchObject([200, { ...living, joined: true }])
    expect(joined).toMatchObject([200, { ...living, joined: true }])
    expect(refused).toMatchObject([409, { code: 'run-living' }])
    expect(replacing).toMatchObject([202, { ...living, joined: false }])
    expect(heard).toMatchObject([201, { status: 'stopping' }])
    expect(begun).toMatchObject([201, { id: 'r2', status: 'running', joined: false }])
    await post(`${topic}?run=r2&op=end`)
  })

  test('of a run that has ended, the producer hears it; the first end stays', async () => {
    const topic = newTopic()
    await post(`${topic}?run=r1&op=begin`)
    const failed = await post(`${topic}?run=r1&op=end&status=failed`)
    const done = await post(`${topic}?run=r1&op=end&status=done`)
    const renewed = await post(`${topic}?run=r1&op=renew`)
    const value = await post(`${topic}?run=r1`, 'late')
    const never = await post(`${topic}?run=r9&op=end`)

    const ending = { id: 'r1', status: 'failed', reason: 'error' }
    expect([failed, done]).toEqual([
      [200, ending],
      [200, ending],
    ])
    for (const refused of [renewed, value, never]) {
      expect(refused).toMatchObject([409, { code: 'run-ended' }])
    }
    expect(await all(await read(`${topic}?run=r1`))).toHaveLength(4)
  })

  test('op=stop stops a run of this server, the named or the latest one', async () => {
    const topic = newTopic()
    for (const id of ['r1', 'r2']) {
      const run = await sse.run(
        topic,
        async function* ({ signal }) {
          yield { data: 1 }
          await sleep(60_000, undefined, { signal })
        },
        { id },
      )
      const asked = await post(`${topic}?run=${id === 'r1' ? 'latest' : id}&op=stop`)

      expect(asked).toMatchObject([202, { id, status: 'running' }])
      expect(await run.ended).toEqual({ status: 'stopped' })
    }
  })

  test('op=stop where nothing lives says how the run stands', async () => {
    const topic = newTopic()

    expect(await post(`${topic}?run=latest&op=stop`)).toEqual([202, { status: 'unknown' }])
    expect(await post(`${topic}?run=r1&op=stop`)).toEqual([202, { id: 'r1', status: 'unknown' }])
    const [, begun] = await post(`${topic}?run=r1&op=begin`)
    expect(begun['status']).toBe('stopping')
    await post(`${topic}?run=r1&op=end&status=stopped`)
  })

  test('a repeated value with a key is published once', async () => {
    const topic = newTopic()
    await post(`${topic}?run=r1&op=begin`)
    const key = { 'Idempotency-Key': 'once' }
    const once = await post(`${topic}?run=r1`, 'one', key)
    const again = await post(`${topic}?run=r1`, 'one', key)

    expect(again).toEqual(once)
    await post(`${topic}?run=r1&op=end`)
    expect(await all(await read(`${topic}?run=r1`))).toHaveLength(5)
  })

  test('a value larger than an event comes in parts, and one over 8 MiB is refused', async () => {
    const topic = newTopic()
    await post(`${topic}?run=r1&op=begin`)

    const large = await post(`${topic}?run=r1`, 'x'.repeat(100_000))
    const tooLarge = await post(`${topic}?run=r1`, 'x'.repeat(8 * 1024 * 1024 + 1))

    expect((large[1]['ids'] as string[]).length).toBeGreaterThan(1)
    expect(tooLarge).toMatchObject([413, { code: 'event-too-large' }])
    await post(`${topic}?run=r1&op=end`)
  })

  test('a run with too many values fails, and says why', async () => {
    const topic = newTopic()
    await post(`${topic}?run=r1&op=begin`)
    const lines = '1\n'.repeat(10_000)
    const headers = { 'Content-Type': 'application/x-ndjson' }

    const statuses: number[] = []
    for (let n = 0; n < 12; n++) statuses.push((await post(`${topic}?run=r1`, lines, headers))[0])

    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 201), 413, 409])
    expect(await sse.runOf(topic)).toMatchObject({ status: 'failed', reason: 'too-long' })
  })

  test.each([
    ['run=a%20b&op=begin', 400, 'invalid-query'],
    [`run=${'x'.repeat(65)}&op=begin`, 400, 'invalid-query'],
    ['run=r1&op=pause', 400, 'invalid-query'],
    ['run=r1&op=begin&onLiving=kill', 400, 'invalid-query'],
    ['run=r1&op=end&status=lost', 400, 'invalid-query'],
    ['run=latest&op=begin', 400, 'invalid-query'],
    ['op=begin', 400, 'invalid-query'],
    ['run=r1&op=renew&type=run.end', 422, 'reserved-type'],
    ['run=r1&op=renew&type=a%0Ab', 422, 'invalid-type'],
    ['type=run.begin', 422, 'reserved-type'],
    ['type=run.part', 422, 'reserved-type'],
  ])('refuses ?%s', async (query, status, code) => {
    expect(await post(`${newTopic()}?${query}`, query.includes('type') ? 'x' : '')).toMatchObject([
      status,
      { code },
    ])
  })

  test('refuses a body where none is expected', async () => {
    expect(await post(`${newTopic()}?run=r1&op=begin`, 'x')).toMatchObject([
      400,
      { code: 'invalid-query' },
    ])
  })
})

describe('access', () => {
  test('who may publish may not stop, unless the app says so', async () => {
    const topic = newTopic()
    const guarded = createSse({ authorize: { publish: () => true } }).topicRoute
    const open = createSse({ authorize: { stop: () => ({ subject: 'anna' }) } }).topicRoute
    const ask = async (handlers: typeof guarded, query: string): Promise<number> => {
      const url = `http://localhost/events/${topic}?${query}`
      return (await handlers.POST(new Request(url, { method: 'POST' }))).status
    }

    expect(await ask(guarded, 'run=r1&op=begin')).toBe(201)
    expect(await ask(guarded, 'run=r1&op=stop')).toBe(403)
    expect(await ask(open, 'run=r1&op=renew')).toBe(403)
    expect(await ask(open, 'run=r1&op=stop')).toBe(202)
    expect(await ask(guarded, 'run=r1&op=end&status=stopped')).toBe(200)
  })
})
