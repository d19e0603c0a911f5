// @vitest-environment jsdom
/** What a component sees when a connection fails, or the server refuses. */
import { act, renderHook } from '@testing-library/react'
import { describe, expect, test, vi } from 'vitest'
import type { StreamError } from '@/client/stream-error'
import {
  first,
  installHookOrigin,
  origin,
  renderStream,
  stream,
  until,
} from '@/test/doubles/hook-origin'
import { transports } from '@/test/doubles/transports'
import { useEventSource } from './use-event-source'

describe.each(transports)('useEventSource by $by', ({ transport, requestsForReason }) => {
  installHookOrigin(transport)

  test('a lost connection is taken up again, after the last event', async () => {
    origin.answer = (request, response) => {
      origin.answer = stream('id: test.2\ndata: two\n\n')
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
    expect(origin.requests.map((request) => request.url)).toEqual([
      '/events',
      '/events?lastEventId=test.1',
    ])
    expect(onError).toHaveBeenCalledWith(expect.objectContaining({ kind: 'lost' }))
  })

  test('reconnect asks at once', async () => {
    origin.answer = (request) => request.destroy()
    const { result } = renderStream()
    await until(() => expect(result.current.retryAt).toBeDefined())

    origin.answer = stream(first)
    act(() => result.current.reconnect())

    await until(() => expect(result.current.status).toBe('open'))
    expect(result.current).toMatchObject({ attempt: 0, error: undefined })
  })

  test('close ends the waiting for another attempt', async () => {
    origin.answer = (request) => request.destroy()
    const { result } = renderStream()
    await until(() => expect(result.current.retryAt).toBeDefined())

    act(() => result.current.close())

    expect(result.current).toMatchObject({ status: 'closed', retryAt: undefined })
  })

  test('204 ends the stream: there is nothing more to read', async () => {
    origin.answer = (_, response) => {
      response.writeHead(204).end()
    }
    const { result } = renderStream()

    await until(() => expect(result.current.status).toBe('closed'))

    expect(result.current).toMatchObject({ closedBy: 'server', lastEventId: '' })
  })

  test('a refusal ends in failed, with its status and code, after one question', async () => {
    origin.answer = (_, response) => {
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
    expect(origin.requests).toHaveLength(requestsForReason)
  })

  test('an answer that is no event stream ends in failed', async () => {
    origin.answer = (_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/html' }).end('<p>hello</p>')
    }
    const { result } = renderStream()

    await until(() => expect(result.current.status).toBe('failed'))

    expect(result.current.error).toMatchObject({ kind: 'refused', status: 200 })
  })

  test('Retry-After is honoured', async () => {
    const before = Date.now()
    origin.answer = (_, response) => {
      response.writeHead(503, { 'Retry-After': '7' }).end()
    }
    const { result } = renderStream()

    await until(() => expect(result.current.retryAt).toBeDefined())

    expect(result.current).toMatchObject({ status: 'reconnecting', error: { status: 503 } })
    expect((result.current.retryAt ?? 0) - before).toBeGreaterThanOrEqual(7_000)
  })

  test('reconnect from the server closes, and says when to come back', async () => {
    const before = Date.now()
    origin.answer = stream(
      first,
      'event: reconnect\ndata: {"retryMs":9000,"reason":"unavailable"}\n\n',
    )
    const { result } = renderStream()

    await until(() => expect(result.current.status).toBe('reconnecting'))

    expect(result.current.error?.kind).toBe('asked')
    expect((result.current.retryAt ?? 0) - before).toBeGreaterThanOrEqual(9_000)
    await origin.requests[0]?.closed
  })

  test('gives up after maxAttempts, and opens again when asked to', async () => {
    origin.answer = (request) => request.destroy()
    const { result } = renderStream({ maxAttempts: 1 })
    await until(() => expect(result.current.status).toBe('failed'))
    expect(result.current.error?.kind).toBe('unreachable')

    origin.answer = stream(first)
    act(() => result.current.open())
    await until(() => expect(result.current.status).toBe('open'))

    expect(result.current.error).toBeUndefined()
  })

  test('an address that is none ends in failed', async () => {
    origin.url = 'http://['
    const { result } = renderStream()

    await until(() => expect(result.current.status).toBe('failed'))

    expect(result.current.error?.kind).toBe('url')
    expect(origin.requests).toHaveLength(0)
  })

  test('a function is asked for the URL at every attempt', async () => {
    let asked = 0
    origin.answer = (_, response) => {
      stream(first)(_, response)
      response.end()
    }
    const { result } = renderHook(() =>
      useEventSource(
        async () => {
          asked++
          return `${origin.url}?token=${asked}`
        },
        { transport },
      ),
    )

    await until(() => expect(origin.requests.length).toBeGreaterThan(1))

    expect(origin.requests.map((request) => request.url).slice(0, 2)).toEqual([
      '/events?token=1',
      '/events?token=2&lastEventId=test.1',
    ])
    act(() => result.current.close())
  })

  test('a function that rejects is a failed attempt', async () => {
    const { result } = renderHook(() =>
      useEventSource(() => Promise.reject(new Error('no token')), { transport }),
    )

    await until(() => expect(result.current.status).toBe('reconnecting'))

    expect(result.current.error).toMatchObject({ kind: 'url', cause: new Error('no token') })
    act(() => result.current.close())
  })
})
