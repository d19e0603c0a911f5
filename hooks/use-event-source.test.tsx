// @vitest-environment jsdom
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { act, cleanup, renderHook, waitFor } from '@testing-library/react'
import { EventSource as NodeEventSource } from 'eventsource'
import { renderToString } from 'react-dom/server'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { MessagesOnly, Parsers } from '@/client/event-parser'
import type { StreamEvent } from '@/client/stream-state'
import type { StreamError } from '@/client/stream-error'
import type { Gap } from '@/client/gap'
import { useEventSource, type UseEventSourceOptions } from './use-event-source'

// jsdom has no EventSource; this one keeps to the standard, over real sockets.
vi.stubGlobal('EventSource', NodeEventSource)

let server: Server
let url = ''
let requests: { url: string; response: ServerResponse; closed: Promise<void> }[] = []
/** How the server answers; each test may replace it. */
let answer: (request: IncomingMessage, response: ServerResponse) => void

function stream(...frames: string[]): typeof answer {
  return (_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.write(`: hello\n\n${frames.join('')}`)
  }
}

beforeEach(async () => {
  requests = []
  answer = stream()
  server = createServer((request, response) => {
    const closed = new Promise<void>((resolve) => response.once('close', resolve))
    requests.push({ url: request.url ?? '', response, closed })
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`
})

afterEach(async () => {
  cleanup()
  await Promise.all(requests.map(({ closed }) => closed))
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

function renderStream<P extends Parsers = MessagesOnly>(options?: UseEventSourceOptions<P>) {
  return renderHook((props: UseEventSourceOptions<P> | undefined) => useEventSource(url, props), {
    initialProps: options,
    reactStrictMode: true,
  })
}

async function until(check: () => void): Promise<void> {
  await waitFor(check, { timeout: 4_000, interval: 5 })
}

const first = 'id: test.1\ndata: one\n\n'
const end = 'event: end\ndata: {}\n\n'

describe('useEventSource', () => {
  test('opens when it mounts, with one request under StrictMode', async () => {
    answer = stream(first)
    const { result } = renderStream()

    expect(result.current).toMatchObject({ status: 'connecting', readyState: 0 })
    await until(() => expect(result.current.events).toHaveLength(1))

    expect(result.current).toMatchObject({
      status: 'open',
      readyState: 1,
      closedBy: undefined,
      lastEventId: 'test.1',
      error: undefined,
      received: 1,
    })
    expect(result.current.events[0]).toMatchObject({
      seq: 1,
      type: 'message',
      data: 'one',
      id: 'test.1',
    })
    expect(requests).toHaveLength(1)
  })

  test('closes its request when it unmounts', async () => {
    const { result, unmount } = renderStream()
    await until(() => expect(result.current.status).toBe('open'))

    unmount()

    await requests[0]?.closed
    expect(requests).toHaveLength(1)
  })

  test('an unmount before the request was made makes none', async () => {
    const { unmount } = renderStream()

    unmount()
    await act(async () => {})

    expect(requests).toHaveLength(0)
  })

  test('end closes the stream, and nothing follows', async () => {
    answer = stream(first, end)
    const { result } = renderStream()

    await until(() => expect(result.current.status).toBe('closed'))

    expect(result.current).toMatchObject({ closedBy: 'server', readyState: 2, lastEventId: '' })
    expect(result.current.events).toHaveLength(1)
    await requests[0]?.closed
    expect(requests).toHaveLength(1)
  })

  test('close stops the stream; open goes on after the last event', async () => {
    answer = stream(first)
    const { result } = renderStream()
    await until(() => expect(result.current.events).toHaveLength(1))

    act(() => result.current.close())
    expect(result.current).toMatchObject({ status: 'closed', closedBy: 'user', readyState: 2 })
    await requests[0]?.closed
    answer = stream('id: test.2\ndata: two\n\n')
    act(() => result.current.open())
    await until(() => expect(result.current.events).toHaveLength(2))

    expect(requests.map((request) => request.url)).toEqual([
      '/events',
      '/events?lastEventId=test.1',
    ])
    expect(result.current.events.map(({ data }) => data)).toEqual(['one', 'two'])
  })

  test('open from the start presents no cursor', async () => {
    answer = stream(first)
    const { result } = renderStream()
    await until(() => expect(result.current.events).toHaveLength(1))
    act(() => result.current.close())

    act(() => result.current.open({ from: 'start' }))
    await until(() => expect(result.current.events).toHaveLength(2))

    expect(requests.map((request) => request.url)).toEqual(['/events', '/events'])
  })

  test('fast clicking leaves one stream, and no event twice', async () => {
    answer = stream(first)
    const { result } = renderStream()
    await until(() => expect(result.current.events).toHaveLength(1))

    act(() => {
      for (let n = 0; n < 20; n++) {
        result.current.close()
        result.current.open({ from: 'start' })
        result.current.open({ from: 'start' })
      }
    })
    await until(() => expect(result.current.events).toHaveLength(2))

    await requests[0]?.closed
    expect(requests).toHaveLength(2)
    expect(result.current.events.map(({ seq }) => seq)).toEqual([1, 2])
  })

  test('clear empties the list and leaves the connection alone', async () => {
    answer = stream(first)
    const { result } = renderStream()
    await until(() => expect(result.current.events).toHaveLength(1))

    act(() => result.current.clear())

    expect(result.current).toMatchObject({ events: [], status: 'open', lastEventId: 'test.1' })
    requests[0]?.response.write('id: test.2\ndata: two\n\n')
    await until(() => expect(result.current.events).toHaveLength(1))
    expect(result.current.events[0]).toMatchObject({ seq: 2, data: 'two' })
    expect(requests).toHaveLength(1)
  })

  test('a lost connection is taken up again, after the last event', async () => {
    answer = (request, response) => {
      answer = stream('id: test.2\ndata: two\n\n')
      stream(first)(request, response)
      response.end()
    }
    // The longest wait there is, so that it is seen.
    const random = vi.spyOn(Math, 'random').mockReturnValue(1)
    const onError = vi.fn<(error: StreamError) => void>()
    const { result } = renderStream({ onError })

    await until(() => expect(result.current.status).toBe('reconnecting'))
    expect(result.current).toMatchObject({ readyState: 0, attempt: 1, error: { kind: 'lost' } })
    await until(() => expect(result.current.events).toHaveLength(2))
    random.mockRestore()

    expect(result.current).toMatchObject({ status: 'open', retryAt: undefined })
    expect(requests.map((request) => request.url)).toEqual([
      '/events',
      '/events?lastEventId=test.1',
    ])
    expect(onError).toHaveBeenCalledWith(expect.objectContaining({ kind: 'lost' }))
  })

  test('reconnect asks at once', async () => {
    answer = (request) => request.destroy()
    const { result } = renderStream()
    await until(() => expect(result.current.retryAt).toBeDefined())

    answer = stream(first)
    act(() => result.current.reconnect())

    await until(() => expect(result.current.status).toBe('open'))
    expect(result.current).toMatchObject({ attempt: 0, error: undefined })
  })

  test('close ends the waiting for another attempt', async () => {
    answer = (request) => request.destroy()
    const { result } = renderStream()
    await until(() => expect(result.current.retryAt).toBeDefined())

    act(() => result.current.close())

    expect(result.current).toMatchObject({ status: 'closed', retryAt: undefined })
  })

  test('204 ends the stream: there is nothing more to read', async () => {
    answer = (_, response) => {
      response.writeHead(204).end()
    }
    const { result } = renderStream()

    await until(() => expect(result.current.status).toBe('closed'))

    expect(result.current).toMatchObject({ closedBy: 'server', lastEventId: '' })
  })

  test('a refusal ends in failed, with its status and code, after one question', async () => {
    answer = (_, response) => {
      response.writeHead(403, { 'Content-Type': 'application/problem+json' })
      response.end(JSON.stringify({ status: 403, code: 'not-granted', detail: 'Not yours.' }))
    }
    const { result } = renderStream()

    await until(() => expect(result.current.status).toBe('failed'))

    expect(result.current.error).toMatchObject({
      kind: 'refused',
      status: 403,
      code: 'not-granted',
      message: 'Not yours.',
    })
    expect(requests).toHaveLength(2)
  })

  test('an answer that is no event stream ends in failed', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/html' }).end('<p>hello</p>')
    }
    const { result } = renderStream()

    await until(() => expect(result.current.status).toBe('failed'))

    expect(result.current.error).toMatchObject({ kind: 'refused', status: 200 })
  })

  test('Retry-After is honoured', async () => {
    const before = Date.now()
    answer = (_, response) => {
      response.writeHead(503, { 'Retry-After': '7' }).end()
    }
    const { result } = renderStream()

    await until(() => expect(result.current.retryAt).toBeDefined())

    expect(result.current).toMatchObject({ status: 'reconnecting', error: { status: 503 } })
    expect((result.current.retryAt ?? 0) - before).toBeGreaterThanOrEqual(7_000)
  })

  test('reconnect from the server closes, and says when to come back', async () => {
    const before = Date.now()
    answer = stream(first, 'event: reconnect\ndata: {"retryMs":9000,"reason":"unavailable"}\n\n')
    const { result } = renderStream()

    await until(() => expect(result.current.status).toBe('reconnecting'))

    expect(result.current.error?.kind).toBe('asked')
    expect((result.current.retryAt ?? 0) - before).toBeGreaterThanOrEqual(9_000)
    await requests[0]?.closed
  })

  test('gives up after maxAttempts, and opens again when asked to', async () => {
    answer = (request) => request.destroy()
    const { result } = renderStream({ maxAttempts: 1 })
    await until(() => expect(result.current.status).toBe('failed'))
    expect(result.current.error?.kind).toBe('unreachable')

    answer = stream(first)
    act(() => result.current.open())
    await until(() => expect(result.current.status).toBe('open'))

    expect(result.current.error).toBeUndefined()
  })

  test('an address that is none ends in failed', async () => {
    url = 'http://['
    const { result } = renderStream()

    await until(() => expect(result.current.status).toBe('failed'))

    expect(result.current.error?.kind).toBe('url')
    expect(requests).toHaveLength(0)
  })

  test('a function is asked for the URL at every attempt', async () => {
    let asked = 0
    answer = (_, response) => {
      stream(first)(_, response)
      response.end()
    }
    const { result } = renderHook(() =>
      useEventSource(async () => {
        asked++
        return `${url}?token=${asked}`
      }),
    )

    await until(() => expect(requests.length).toBeGreaterThan(1))

    expect(requests.map((request) => request.url).slice(0, 2)).toEqual([
      '/events?token=1',
      '/events?token=2&lastEventId=test.1',
    ])
    act(() => result.current.close())
  })

  test('a function that rejects is a failed attempt', async () => {
    const { result } = renderHook(() => useEventSource(() => Promise.reject(new Error('no token'))))

    await until(() => expect(result.current.status).toBe('reconnecting'))

    expect(result.current.error).toMatchObject({ kind: 'url', cause: new Error('no token') })
    act(() => result.current.close())
  })

  test('without a URL there is no stream', async () => {
    const { result, rerender } = renderHook((address: string | null) => useEventSource(address), {
      initialProps: null as string | null,
    })
    act(() => result.current.open())
    await act(async () => {})
    expect(result.current.status).toBe('idle')

    rerender(url)
    await until(() => expect(result.current.status).toBe('open'))
    rerender(null)

    expect(result.current.status).toBe('idle')
    await requests[0]?.closed
    expect(requests).toHaveLength(1)
  })

  test('typed events: a function gets the text, a schema its JSON; what does not parse reaches onError', async () => {
    const onError = vi.fn<(error: StreamError) => void>()
    const price: StandardSchemaV1<unknown, { amount: number }> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) =>
          typeof (value as { amount?: unknown }).amount === 'number'
            ? { value: value as { amount: number } }
            : { issues: [{ message: 'amount must be a number' }] },
      },
    }
    answer = stream(
      'event: count\ndata: 41\n\n',
      'event: price\ndata: {"amount":7}\n\n',
      'event: price\ndata: {"amount":"7"}\n\n',
      'event: price\ndata: {\n\n',
      'event: __proto__\ndata: a name\n\n',
      first,
    )
    const { result } = renderHook(() =>
      useEventSource(url, {
        types: { count: Number, price, ['__proto__']: String },
        onError,
      }),
    )

    await until(() => expect(result.current.events).toHaveLength(4))

    const summed = result.current.events.reduce((sum, event) => {
      if (event.type === 'count') return sum + event.data
      return event.type === 'price' ? sum + event.data.amount : sum
    }, 0)
    expect(summed).toBe(48)
    expect(result.current.events.map(({ type }) => type)).toEqual([
      'count',
      'price',
      '__proto__',
      'message',
    ])
    expect(onError.mock.calls.map(([{ kind }]) => kind)).toEqual(['event', 'event'])
    expect(result.current).toMatchObject({ status: 'open', received: 6 })
  })

  test('hears the named events it asked for, and no others', async () => {
    answer = stream('event: greeting\ndata: a\n\n', 'event: other\ndata: b\n\n', first)
    const { result } = renderStream({ types: { greeting: String } })

    await until(() => expect(result.current.events).toHaveLength(2))

    expect(result.current.events.map(({ type }) => type)).toEqual(['greeting', 'message'])
  })

  test('new parsers of the same types keep the stream', async () => {
    const { result, rerender } = renderStream({ types: { greeting: String } })
    await until(() => expect(result.current.status).toBe('open'))

    rerender({ types: { greeting: String } })
    await act(async () => {})

    expect(requests).toHaveLength(1)
  })

  test('onEvent sees every event, by its newest version', async () => {
    const early = vi.fn<(event: StreamEvent) => void>()
    const late = vi.fn<(event: StreamEvent) => void>()
    const { result, rerender } = renderStream({ onEvent: early })
    await until(() => expect(result.current.status).toBe('open'))

    rerender({ onEvent: late })
    requests[0]?.response.write(first)
    await until(() => expect(late).toHaveBeenCalledOnce())

    expect(late).toHaveBeenCalledWith(expect.objectContaining({ data: 'one' }))
    expect(early).not.toHaveBeenCalled()
    expect(requests).toHaveLength(1)
  })

  test('onGap hears of a resync, and the stream goes on from its id', async () => {
    const onGap = vi.fn<(gap: Gap) => void>()
    const gap = { reason: 'trimmed', from: 'test.1', oldest: 'test.5', topics: ['orders'] }
    answer = stream(`event: resync\nid: test.4\ndata: ${JSON.stringify(gap)}\n\n`)
    const { result } = renderStream({ onGap })

    await until(() => expect(onGap).toHaveBeenCalledOnce())

    expect(onGap).toHaveBeenCalledWith(gap)
    await until(() => expect(result.current.lastEventId).toBe('test.4'))
    expect(result.current).toMatchObject({ status: 'open', events: [], gaps: [{ beforeSeq: 1 }] })
  })

  test('onReaderChange hears that the page has another reader now, and nothing follows', async () => {
    const onReaderChange = vi.fn<() => void>()
    const told = { heartbeatMs: 15_000, time: Date.now(), reader: 'annaannaannaanna' }
    answer = stream(`event: connected\ndata: ${JSON.stringify(told)}\n\n`)
    const { result } = renderStream({ onReaderChange })
    await until(() => expect(result.current.reader).toBe('annaannaannaanna'))

    answer = (_, response) => {
      response.writeHead(409, { 'Content-Type': 'application/problem+json' })
      response.end('{"code":"reader-changed"}')
    }
    act(() => result.current.close())
    act(() => result.current.open())
    await until(() => expect(result.current.status).toBe('failed'))

    expect(result.current).toMatchObject({ error: { kind: 'reader' }, reader: undefined })
    expect(onReaderChange).toHaveBeenCalledOnce()
    expect(requests.map((request) => request.url).slice(1)).toEqual(
      Array(2).fill('/events?reader=annaannaannaanna'),
    )
  })

  test.each(['', '{', 'null', '[]', '{"reason":"later","from":"","oldest":null}', '{"from":1}'])(
    'a resync with the data %j is no gap, and breaks nothing',
    async (data) => {
      const onGap = vi.fn<(gap: Gap) => void>()
      answer = stream(`event: resync\nid: test.4\ndata: ${data}\n\n`, first)
      const { result } = renderStream({ onGap })

      await until(() => expect(result.current.events).toHaveLength(1))

      expect(onGap).not.toHaveBeenCalled()
      expect(result.current).toMatchObject({ status: 'open', lastEventId: 'test.1' })
    },
  )

  test('starts after initialLastEventId', async () => {
    const { result } = renderStream({ initialLastEventId: 'test.7' })

    await until(() => expect(result.current.status).toBe('open'))

    expect(requests[0]?.url).toBe('/events?lastEventId=test.7')
  })

  test('while not enabled it makes no request, and open does nothing', async () => {
    const { result, rerender } = renderStream({ enabled: false })
    act(() => result.current.open())
    await act(async () => {})
    expect(result.current.status).toBe('idle')
    expect(requests).toHaveLength(0)

    rerender({ enabled: true })
    await until(() => expect(result.current.status).toBe('open'))

    rerender({ enabled: false })
    await requests[0]?.closed
    expect(requests).toHaveLength(1)
  })

  test('another URL is another stream', async () => {
    answer = stream(first)
    const { result, rerender } = renderStream()
    await until(() => expect(result.current.events).toHaveLength(1))

    answer = stream()
    url = `${url}?other`
    rerender(undefined)

    expect(result.current.events).toEqual([])
    await requests[0]?.closed
    await until(() => expect(requests).toHaveLength(2))
    await until(() => expect(result.current.status).toBe('open'))
  })

  test('keeps the newest thousand events', async () => {
    answer = stream(...Array.from({ length: 1_005 }, (_, n) => `data: ${n + 1}\n\n`))
    const { result } = renderStream()

    await until(() => expect(result.current.received).toBe(1_005))

    expect(result.current.events).toHaveLength(1_000)
    expect(result.current.events[0]?.data).toBe('6')
  })

  test('renders on a server, as idle', () => {
    function Page() {
      return <p>{useEventSource('/events').status}</p>
    }

    expect(renderToString(<Page />)).toBe('<p>idle</p>')
  })
})
