import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readAllEvents, readEvents } from '@/test/readers/read-events'
import { metrics } from '@/server/observe/metrics'
import * as route from './route'

function request(path = '/events', headers: Record<string, string> = {}): Request {
  return new Request(new URL(path, 'http://localhost'), { headers })
}

const context = { params: Promise.resolve({}) }
const GET = (asked: Request): Promise<Response> => route.GET(asked, context)
const HEAD = (asked: Request): Promise<Response> => route.HEAD(asked, context)

function countTimers(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
}

async function messagesOf(response: Response): Promise<string[]> {
  const events = await readAllEvents(response)
  return events.map(({ event, data }) => event ?? (JSON.parse(data) as { message: string }).message)
}

let timersBefore = 0

beforeEach(() => {
  timersBefore = countTimers()
})

afterEach(async () => {
  expect((await metrics.openStreams.get()).values[0]?.value).toBe(0)
  expect(countTimers()).toBeLessThanOrEqual(timersBefore)
})

describe('GET /events', () => {
  test('greets three times, two seconds apart, and ends', async () => {
    const greetings: string[] = []
    const arrivals: number[] = []

    for await (const { id, event, data } of readEvents(await GET(request()))) {
      greetings.push(event ?? `${id} ${data}`)
      arrivals.push(performance.now())
    }

    expect(greetings).toEqual([
      'connected',
      'hello.1 {"message":"Hi there"}',
      'hello.2 {"message":"How are you?"}',
      'hello.3 {"message":"I am fine"}',
      'end',
    ])
    const waits = arrivals.slice(1).map((time, index) => time - (arrivals[index] ?? 0))
    expect(waits.map((ms) => Math.round(ms / 2_000))).toEqual([0, 1, 1, 0])
  })

  test('goes on after the greeting that Last-Event-ID names', async () => {
    const response = await GET(request('/events', { 'last-event-id': 'hello.2' }))

    const [connected, ...rest] = await readAllEvents(response)

    expect(connected?.id).toBe('hello.2')
    expect(JSON.parse(connected?.data ?? '')).toMatchObject({ cursor: 'hello.2', resumed: true })
    expect(rest.map(({ id, event }) => event ?? id)).toEqual(['hello.3', 'end'])
  })

  test('reads the cursor from the URL too, where the header wins unless it is empty', async () => {
    const [byUrl, byHeader, byEmptyHeader] = await Promise.all([
      messagesOf(await GET(request('/events?lastEventId=hello.2'))),
      messagesOf(await GET(request('/events?lastEventId=hello.1', { 'last-event-id': 'hello.2' }))),
      messagesOf(await GET(request('/events?lastEventId=hello.2', { 'last-event-id': '' }))),
    ])

    expect(byUrl).toEqual(['connected', 'I am fine', 'end'])
    expect(byHeader).toEqual(byUrl)
    expect(byEmptyHeader).toEqual(byUrl)
  })

  test('answers 204 after the last greeting', async () => {
    const response = await GET(request('/events?lastEventId=hello.3'))

    expect(response.status).toBe(204)
    expect(response.body).toBeNull()
  })

  test.each(['hello.4', 'k3f9.2'])(
    'starts from the beginning for %s, a cursor it never gave',
    async (cursor) => {
      const stream = readEvents(await GET(request(`/events?lastEventId=${cursor}`)))

      const connected = await stream.next()
      const first = await stream.next()
      await stream.return(undefined)

      expect(connected.value).toMatchObject({ event: 'connected', id: 'hello.0' })
      expect(JSON.parse(connected.value?.data ?? '')).toMatchObject({ resumed: false })
      expect(first.value).toMatchObject({ id: 'hello.1', data: '{"message":"Hi there"}' })
    },
  )

  test('refuses a malformed cursor with a problem', async () => {
    const response = await GET(request('/events?lastEventId=hello'))

    expect(response.status).toBe(400)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(await response.json()).toMatchObject({ status: 400, code: 'invalid-cursor' })
  })

  test.each([0, 1, 2])('a reader that leaves after %d events leaves no timer', async (count) => {
    const stream = readEvents(await GET(request()))
    for (let n = 0; n < count; n++) await stream.next()

    await stream.return(undefined)
  })

  test('a reader that leaves in the pause between greetings leaves no timer', async () => {
    const reader = (await GET(request())).body?.getReader()
    await reader?.read()
    await reader?.read()
    const pause = reader?.read()

    await reader?.cancel()

    expect((await pause)?.done).toBe(true)
  })

  test('a reader whose request aborts in the pause leaves no timer', async () => {
    const leaving = new AbortController()
    const stream = readEvents(await GET(new Request(request(), { signal: leaving.signal })))
    await stream.next()
    await stream.next()
    const pause = stream.next()

    leaving.abort()

    expect((await pause).done).toBe(true)
  })
})

describe('HEAD /events', () => {
  test.each([
    ['/events', 200, 'text/event-stream; charset=utf-8'],
    ['/events?lastEventId=hello', 400, 'application/problem+json'],
  ])('%s answers the status and headers of GET, and no body', async (path, status, type) => {
    const response = await HEAD(request(path))

    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toBe(type)
    expect(response.body).toBeNull()
  })

  test('answers 204 after the last greeting', async () => {
    expect((await HEAD(request('/events?lastEventId=hello.3'))).status).toBe(204)
  })
})
