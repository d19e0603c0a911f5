// @vitest-environment jsdom
/** What a component is told: events as their parsers make them, and calls of its callbacks. */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { act, renderHook } from '@testing-library/react'
import { describe, expect, test, vi } from 'vitest'
import type { Gap } from '@/protocol/gap'
import type { StreamError } from '@/client/stream-error'
import type { StreamEvent } from '@/client/stream-state'
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
    origin.answer = stream(
      'event: count\ndata: 41\n\n',
      'event: price\ndata: {"amount":7}\n\n',
      'event: price\ndata: {"amount":"7"}\n\n',
      'event: price\ndata: {\n\n',
      'event: __proto__\ndata: a name\n\n',
      first,
    )
    const { result } = renderHook(() =>
      useEventSource(origin.url, {
        transport,
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
    origin.answer = stream('event: greeting\ndata: a\n\n', 'event: other\ndata: b\n\n', first)
    const { result } = renderStream({ types: { greeting: String } })

    await until(() => expect(result.current.events).toHaveLength(2))

    expect(result.current.events.map(({ type }) => type)).toEqual(['greeting', 'message'])
  })

  test('new parsers of the same types keep the stream', async () => {
    const { result, rerender } = renderStream({ types: { greeting: String } })
    await until(() => expect(result.current.status).toBe('open'))

    rerender({ types: { greeting: String } })
    await act(async () => {})

    expect(origin.requests).toHaveLength(1)
  })

  test('onEvent sees every event, by its newest version', async () => {
    const early = vi.fn<(event: StreamEvent) => void>()
    const late = vi.fn<(event: StreamEvent) => void>()
    const { result, rerender } = renderStream({ onEvent: early })
    await until(() => expect(result.current.status).toBe('open'))

    rerender({ onEvent: late })
    origin.requests[0]?.response.write(first)
    await until(() => expect(late).toHaveBeenCalledOnce())

    expect(late).toHaveBeenCalledWith(expect.objectContaining({ data: 'one' }))
    expect(early).not.toHaveBeenCalled()
    expect(origin.requests).toHaveLength(1)
  })

  test('onGap hears of a resync, and the stream goes on from its id', async () => {
    const onGap = vi.fn<(gap: Gap) => void>()
    const gap = { reason: 'trimmed', from: 'test.1', oldest: 'test.5', topics: ['orders'] }
    origin.answer = stream(`event: resync\nid: test.4\ndata: ${JSON.stringify(gap)}\n\n`)
    const { result } = renderStream({ onGap })

    await until(() => expect(onGap).toHaveBeenCalledOnce())

    expect(onGap).toHaveBeenCalledWith(gap)
    await until(() => expect(result.current.lastEventId).toBe('test.4'))
    expect(result.current).toMatchObject({ status: 'open', events: [], gaps: [{ beforeSeq: 1 }] })
  })

  test('onReaderChange hears that the page has another reader now, and nothing follows', async () => {
    const onReaderChange = vi.fn<() => void>()
    const told = { heartbeatMs: 15_000, time: Date.now(), reader: 'annaannaannaanna' }
    origin.answer = stream(`event: connected\ndata: ${JSON.stringify(told)}\n\n`)
    const { result } = renderStream({ onReaderChange })
    await until(() => expect(result.current.reader).toBe('annaannaannaanna'))

    origin.answer = (_, response) => {
      response.writeHead(409, { 'Content-Type': 'application/problem+json' })
      response.end('{"code":"reader-changed"}')
    }
    act(() => result.current.close())
    act(() => result.current.open())
    await until(() => expect(result.current.status).toBe('failed'))

    expect(result.current).toMatchObject({ error: { kind: 'reader' }, reader: undefined })
    expect(onReaderChange).toHaveBeenCalledOnce()
    expect(origin.requests.map((request) => request.url).slice(1)).toEqual(
      Array(requestsForReason).fill('/events?reader=annaannaannaanna'),
    )
  })

  test.each(['', '{', 'null', '[]', '{"reason":"later","from":"","oldest":null}', '{"from":1}'])(
    'a resync with the data %j is no gap, and breaks nothing',
    async (data) => {
      const onGap = vi.fn<(gap: Gap) => void>()
      origin.answer = stream(`event: resync\nid: test.4\ndata: ${data}\n\n`, first)
      const { result } = renderStream({ onGap })

      await until(() => expect(result.current.events).toHaveLength(1))

      expect(onGap).not.toHaveBeenCalled()
      expect(result.current).toMatchObject({ status: 'open', lastEventId: 'test.1' })
    },
  )
})
