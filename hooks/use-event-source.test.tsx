// @vitest-environment jsdom
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { act, cleanup, renderHook, waitFor } from '@testing-library/react'
import { EventSource as NodeEventSource } from 'eventsource'
import { renderToString } from 'react-dom/server'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ReceivedEvent } from './event-source-client'
import type { Gap } from './gap'
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

function renderStream(options?: UseEventSourceOptions) {
  return renderHook((props: UseEventSourceOptions | undefined) => useEventSource(url, props), {
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

  test('a lost connection ends in failed, and is not tried again', async () => {
    answer = (_, response) => {
      stream(first)(_, response)
      response.end()
    }
    const { result } = renderStream()

    await until(() => expect(result.current.status).toBe('failed'))

    expect(result.current.error?.kind).toBe('lost')
    expect(result.current.lastEventId).toBe('test.1')
    expect(requests).toHaveLength(1)
  })

  test.each([204, 400, 500])('an answer of %d ends in failed', async (status) => {
    answer = (_, response) => {
      response.writeHead(status).end()
    }
    const { result } = renderStream()

    await until(() => expect(result.current.status).toBe('failed'))

    expect(result.current.error?.kind).toBe('refused')
    expect(requests).toHaveLength(1)
  })

  test('an address where nothing listens ends in failed', async () => {
    answer = (request) => request.destroy()
    const { result } = renderStream()

    await until(() => expect(result.current.status).toBe('failed'))

    expect(result.current.error?.kind).toBe('unreachable')
  })

  test('an address that is none ends in failed', async () => {
    url = 'http://['
    const { result } = renderStream()

    await until(() => expect(result.current.status).toBe('failed'))

    expect(result.current.error?.kind).toBe('unreachable')
    expect(requests).toHaveLength(0)
  })

  test('a failed stream opens again when asked to', async () => {
    answer = (_, response) => {
      response.writeHead(500).end()
    }
    const { result } = renderStream()
    await until(() => expect(result.current.status).toBe('failed'))

    answer = stream(first)
    act(() => result.current.open())
    await until(() => expect(result.current.status).toBe('open'))

    expect(result.current.error).toBeUndefined()
  })

  test('hears the named events it asked for, and no others', async () => {
    answer = stream('event: greeting\ndata: a\n\n', 'event: other\ndata: b\n\n', first)
    const { result } = renderStream({ types: ['greeting'] })

    await until(() => expect(result.current.events).toHaveLength(2))

    expect(result.current.events.map(({ type }) => type)).toEqual(['greeting', 'message'])
  })

  test('a new array of the same types keeps the stream', async () => {
    const { result, rerender } = renderStream({ types: ['greeting'] })
    await until(() => expect(result.current.status).toBe('open'))

    rerender({ types: ['greeting'] })
    await act(async () => {})

    expect(requests).toHaveLength(1)
  })

  test('onEvent sees every event, by its newest version', async () => {
    const early = vi.fn<(event: ReceivedEvent) => void>()
    const late = vi.fn<(event: ReceivedEvent) => void>()
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
    const gap = { reason: 'trimmed', from: 'test.1', oldest: 'test.5' }
    answer = stream(`event: resync\nid: test.4\ndata: ${JSON.stringify(gap)}\n\n`)
    const { result } = renderStream({ onGap })

    await until(() => expect(onGap).toHaveBeenCalledOnce())

    expect(onGap).toHaveBeenCalledWith(gap)
    expect(result.current).toMatchObject({ status: 'open', lastEventId: 'test.4', events: [] })
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
