// @vitest-environment jsdom
/** A stream in a component, from mount to unmount. */
import { act, renderHook } from '@testing-library/react'
import { renderToString } from 'react-dom/server'
import { describe, expect, test } from 'vitest'
import {
  end,
  first,
  installHookOrigin,
  origin,
  renderStream,
  stream,
  until,
} from '@/test/doubles/hook-origin'
import { transports } from '@/test/doubles/transports'
import { useEventSource } from './use-event-source'

describe.each(transports)('useEventSource by $by', ({ transport }) => {
  installHookOrigin(transport)

  test('opens when it mounts, with one request under StrictMode', async () => {
    origin.answer = stream(first)
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
    expect(origin.requests).toHaveLength(1)
  })

  test('closes its request when it unmounts', async () => {
    const { result, unmount } = renderStream()
    await until(() => expect(result.current.status).toBe('open'))

    unmount()

    await origin.requests[0]?.closed
    expect(origin.requests).toHaveLength(1)
  })

  test('an unmount before the request was made makes none', async () => {
    const { unmount } = renderStream()

    unmount()
    await act(async () => {})

    expect(origin.requests).toHaveLength(0)
  })

  test('end closes the stream, and nothing follows', async () => {
    origin.answer = stream(first, end)
    const { result } = renderStream()

    await until(() => expect(result.current.status).toBe('closed'))

    expect(result.current).toMatchObject({ closedBy: 'server', readyState: 2, lastEventId: '' })
    expect(result.current.events).toHaveLength(1)
    await origin.requests[0]?.closed
    expect(origin.requests).toHaveLength(1)
  })

  test('close stops the stream; open goes on after the last event', async () => {
    origin.answer = stream(first)
    const { result } = renderStream()
    await until(() => expect(result.current.events).toHaveLength(1))

    act(() => result.current.close())
    expect(result.current).toMatchObject({ status: 'closed', closedBy: 'user', readyState: 2 })
    await origin.requests[0]?.closed
    origin.answer = stream('id: test.2\ndata: two\n\n')
    act(() => result.current.open())
    await until(() => expect(result.current.events).toHaveLength(2))

    expect(origin.requests.map((request) => request.url)).toEqual([
      '/events',
      '/events?lastEventId=test.1',
    ])
    expect(result.current.events.map(({ data }) => data)).toEqual(['one', 'two'])
  })

  test('open from the start presents no cursor', async () => {
    origin.answer = stream(first)
    const { result } = renderStream()
    await until(() => expect(result.current.events).toHaveLength(1))
    act(() => result.current.close())

    act(() => result.current.open({ from: 'start' }))
    await until(() => expect(result.current.events).toHaveLength(2))

    expect(origin.requests.map((request) => request.url)).toEqual(['/events', '/events'])
  })

  test('fast clicking leaves one stream, and no event twice', async () => {
    origin.answer = stream(first)
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

    await origin.requests[0]?.closed
    expect(origin.requests).toHaveLength(2)
    expect(result.current.events.map(({ seq }) => seq)).toEqual([1, 2])
  })

  test('clear empties the list and leaves the connection alone', async () => {
    origin.answer = stream(first)
    const { result } = renderStream()
    await until(() => expect(result.current.events).toHaveLength(1))

    act(() => result.current.clear())

    expect(result.current).toMatchObject({ events: [], status: 'open', lastEventId: 'test.1' })
    origin.requests[0]?.response.write('id: test.2\ndata: two\n\n')
    await until(() => expect(result.current.events).toHaveLength(1))
    expect(result.current.events[0]).toMatchObject({ seq: 2, data: 'two' })
    expect(origin.requests).toHaveLength(1)
  })

  test('without a URL there is no stream', async () => {
    const { result, rerender } = renderHook(
      (address: string | null) => useEventSource(address, { transport }),
      {
        initialProps: null as string | null,
      },
    )
    act(() => result.current.open())
    await act(async () => {})
    expect(result.current.status).toBe('idle')

    rerender(origin.url)
    await until(() => expect(result.current.status).toBe('open'))
    rerender(null)

    expect(result.current.status).toBe('idle')
    await origin.requests[0]?.closed
    expect(origin.requests).toHaveLength(1)
  })

  test('starts after initialLastEventId', async () => {
    const { result } = renderStream({ initialLastEventId: 'test.7' })

    await until(() => expect(result.current.status).toBe('open'))

    expect(origin.requests[0]?.url).toBe('/events?lastEventId=test.7')
  })

  test('while not enabled it makes no request, and open does nothing', async () => {
    const { result, rerender } = renderStream({ enabled: false })
    act(() => result.current.open())
    await act(async () => {})
    expect(result.current.status).toBe('idle')
    expect(origin.requests).toHaveLength(0)

    rerender({ enabled: true })
    await until(() => expect(result.current.status).toBe('open'))

    rerender({ enabled: false })
    await origin.requests[0]?.closed
    expect(origin.requests).toHaveLength(1)
  })

  test('another URL is another stream', async () => {
    origin.answer = stream(first)
    const { result, rerender } = renderStream()
    await until(() => expect(result.current.events).toHaveLength(1))

    origin.answer = stream()
    origin.url = `${origin.url}?other`
    rerender(undefined)

    expect(result.current.events).toEqual([])
    await origin.requests[0]?.closed
    await until(() => expect(origin.requests).toHaveLength(2))
    await until(() => expect(result.current.status).toBe('open'))
  })

  test('keeps the newest thousand events', async () => {
    origin.answer = stream(...Array.from({ length: 1_005 }, (_, n) => `data: ${n + 1}\n\n`))
    const { result } = renderStream()

    await until(() => expect(result.current.received).toBe(1_005))

    expect(result.current.events).toHaveLength(1_000)
    expect(result.current.events[0]?.data).toBe('6')
  })

  test('renders on a server, as idle', () => {
    function Page() {
      return <p>{useEventSource('/events', { transport }).status}</p>
    }

    expect(renderToString(<Page />)).toBe('<p>idle</p>')
  })
})
