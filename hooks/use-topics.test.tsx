// @vitest-environment jsdom
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { act, cleanup, renderHook, waitFor } from '@testing-library/react'
import { EventSource as NodeEventSource } from 'eventsource'
import { renderToString } from 'react-dom/server'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Gap } from '@/protocol/gap'
import { transports } from '@/test/doubles/transports'
import { useTopics, type TopicEvent, type UseTopicsOptions } from './use-topics'

let server: Server
let requests: { url: string; response: ServerResponse; closed: Promise<void> }[] = []
/** What the server sends at once to every reader. */
let frames: string[] = []

/** The same path of the test's server. */
function atServer(url: string): string {
  const { pathname, search } = new URL(url, 'http://localhost')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}${search}`
}

/** jsdom has no EventSource; this one keeps to the standard, over real sockets. */
class LocalEventSource extends NodeEventSource {
  constructor(url: string) {
    super(atServer(url))
  }
}

const { fetch } = globalThis

beforeEach(async () => {
  vi.stubGlobal('EventSource', LocalEventSource)
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => fetch(atServer(url), init))
  requests = []
  frames = []
  server = createServer((request, response) => {
    const closed = new Promise<void>((resolve) => response.once('close', resolve))
    requests.push({ url: request.url ?? '', response, closed })
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.write(`: hello\n\n${frames.join('')}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterEach(async () => {
  cleanup()
  await Promise.all(requests.map(({ closed }) => closed))
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

interface Props extends Omit<UseTopicsOptions, 'transport' | 'headers'> {
  topics?: string[]
}

async function until(check: () => void): Promise<void> {
  await waitFor(check, { timeout: 4_000, interval: 5 })
}

function frame(offset: number, envelope: unknown): string {
  return `id: test.${offset}\ndata: ${JSON.stringify(envelope)}\n\n`
}

const paid = { topic: 'orders', type: 'order.paid', time: 1_767_621_801_004, data: '{"amount":1}' }
const note = { topic: 'orders', type: 'message', time: 1_767_621_802_000, data: 'two\nlines' }

describe.each(transports)('useTopics by $by', ({ transport }) => {
  const renderTopics = (props: Props = {}) =>
    renderHook(
      ({ topics = ['orders'], ...options }: Props) => useTopics(topics, { ...options, transport }),
      { initialProps: props, reactStrictMode: true },
    )

  test('tells each event’s topic, type, data and time of publishing', async () => {
    frames = [frame(1, paid), frame(2, note)]
    const { result } = renderTopics()

    await until(() => expect(result.current.events).toHaveLength(2))

    expect(result.current.events).toEqual([
      { ...paid, id: 'test.1', seq: 1, receivedAt: expect.any(Number) },
      { ...note, id: 'test.2', seq: 2, receivedAt: expect.any(Number) },
    ])
    expect(result.current).toMatchObject({ status: 'open', lastEventId: 'test.2', received: 2 })
    expect(requests.map(({ url }) => url)).toEqual(['/events/orders?envelope=1'])
  })

  test('asks for all its topics in one request, and for the last events if told to', async () => {
    const { result } = renderTopics({ topics: ['orders', 'stock'], last: 100 })

    await until(() => expect(result.current.status).toBe('open'))

    expect(requests.map(({ url }) => url)).toEqual(['/events/orders,stock?envelope=1&last=100'])
  })

  test('asks for them where the route of topics is', async () => {
    renderHook(() => useTopics(['orders'], { path: '/base/live', transport }))

    await waitFor(() => expect(requests).toHaveLength(1))
    expect(requests[0]?.url).toBe('/base/live/orders?envelope=1')
  })

  test('close stops the stream; open goes on after the last event', async () => {
    frames = [frame(7, paid)]
    const { result } = renderTopics({ last: 100 })
    await until(() => expect(result.current.events).toHaveLength(1))

    act(() => result.current.close())
    frames = []
    act(() => result.current.open())
    await until(() => expect(result.current.status).toBe('open'))

    expect(requests[1]?.url).toBe('/events/orders?envelope=1&last=100&lastEventId=test.7')
    expect(result.current.events).toHaveLength(1)
  })

  test('an event stays the same object when others follow', async () => {
    frames = [frame(1, paid)]
    const { result, rerender } = renderTopics()
    await until(() => expect(result.current.events).toHaveLength(1))
    const [first] = result.current.events
    const { events } = result.current

    rerender({})
    expect(result.current.events).toBe(events)
    requests[0]?.response.write(frame(2, note))
    await until(() => expect(result.current.events).toHaveLength(2))

    expect(result.current.events[0]).toBe(first)
  })

  test('reads each envelope once, however often it renders', async () => {
    frames = [frame(1, paid)]
    const parse = vi.spyOn(JSON, 'parse')
    const { result, rerender } = renderTopics({ onEvent: () => {} })
    await until(() => expect(result.current.events).toHaveLength(1))

    rerender({})
    act(() => result.current.close())

    expect(parse.mock.calls.filter(([text]) => text === JSON.stringify(paid))).toHaveLength(1)
    parse.mockRestore()
  })

  test.each([
    'no JSON',
    'null',
    '1',
    '[]',
    JSON.stringify({ ...paid, topic: undefined }),
    JSON.stringify({ ...paid, type: 1 }),
    JSON.stringify({ ...paid, time: 'now' }),
    JSON.stringify({ ...paid, time: 1e300 }),
    JSON.stringify({ ...paid, data: { amount: 1 } }),
  ])('skips %s, which is no envelope, and goes on', async (data) => {
    const onEvent = vi.fn<(event: TopicEvent) => void>()
    frames = [`data: ${data}\n\n`, frame(2, note)]
    const { result } = renderTopics({ onEvent })

    await until(() => expect(result.current.events).toHaveLength(1))

    expect(result.current.events[0]?.data).toBe(note.data)
    expect(result.current.status).toBe('open')
    expect(onEvent).toHaveBeenCalledOnce()
  })

  test('onEvent sees every event as the list has it, by its newest version', async () => {
    const early = vi.fn<(event: TopicEvent) => void>()
    const late = vi.fn<(event: TopicEvent) => void>()
    const { result, rerender } = renderTopics({ onEvent: early })
    await until(() => expect(result.current.status).toBe('open'))

    rerender({ onEvent: late })
    requests[0]?.response.write(frame(1, paid))
    await until(() => expect(late).toHaveBeenCalledOnce())

    await until(() => expect(late.mock.calls[0]?.[0]).toBe(result.current.events[0]))
    expect(early).not.toHaveBeenCalled()
    expect(requests).toHaveLength(1)
  })

  test('onGap hears what was lost', async () => {
    const onGap = vi.fn<(gap: Gap) => void>()
    const gap: Gap = { reason: 'epoch', from: 'gone.7', oldest: null, topics: ['orders'] }
    frames = [`event: resync\nid: test.0\ndata: ${JSON.stringify(gap)}\n\n`]
    const { result } = renderTopics({ onGap, initialLastEventId: 'gone.7' })

    await until(() => expect(onGap).toHaveBeenCalledOnce())

    expect(onGap).toHaveBeenCalledWith(gap)
    await until(() => expect(result.current.lastEventId).toBe('test.0'))
    expect(requests[0]?.url).toBe('/events/orders?envelope=1&lastEventId=gone.7')
  })

  test('a new array of the same topics keeps the stream; other topics are another', async () => {
    const { result, rerender } = renderTopics({ topics: ['orders'] })
    await until(() => expect(result.current.status).toBe('open'))

    rerender({ topics: ['orders'] })
    await act(async () => {})
    expect(requests).toHaveLength(1)

    rerender({ topics: ['stock'] })
    await requests[0]?.closed
    await until(() => expect(requests).toHaveLength(2))
    await until(() => expect(result.current.status).toBe('open'))
  })

  test('makes no request while not enabled, nor without topics', async () => {
    const { result, rerender } = renderTopics({ enabled: false })
    await act(async () => {})
    expect(result.current.status).toBe('idle')

    rerender({ topics: [] })
    act(() => result.current.open())
    await act(async () => {})

    expect(result.current.status).toBe('idle')
    expect(requests).toHaveLength(0)
  })

  test('renders on a server, as idle', () => {
    function Page() {
      return <p>{useTopics(['orders'], { transport }).status}</p>
    }

    expect(renderToString(<Page />)).toBe('<p>idle</p>')
  })
})
