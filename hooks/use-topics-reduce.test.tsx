// @vitest-environment jsdom
/** Events folded into one value. */
import { act, renderHook } from '@testing-library/react'
import { renderToString } from 'react-dom/server'
import { describe, expect, expectTypeOf, test, vi } from 'vitest'
import type { Reduce } from '@/client/events/reduce'
import type { StreamError } from '@/client/stream-error'
import { encodePreloaded } from '@/protocol/preloaded'
import { installHookOrigin, origin, stream, until } from '@/test/doubles/hook-origin'
import { useTopics, type TopicEvent, type UseTopicsOptions } from './use-topics'

installHookOrigin()

const total: Reduce<TopicEvent, number> = {
  initialState: 0,
  reducer: (sum, { data }) => sum + Number(data),
}

function eventAt(offset: number, data = String(offset)) {
  return { id: `test.${offset}`, topic: 'orders', type: 'paid', data, time: offset }
}

function frame(offset: number, data?: string): string {
  const { id, ...envelope } = eventAt(offset, data)
  return `id: ${id}\ndata: ${JSON.stringify(envelope)}\n\n`
}

const gap = { reason: 'trimmed', from: 'test.2', oldest: 'test.9', topics: ['orders'] }
const resync = `event: resync\nid: test.8\ndata: ${JSON.stringify(gap)}\n\n`

const initial = encodePreloaded({
  topics: ['orders'],
  path: '/events',
  time: 1_000,
  answer: { reader: 'annaannaannaanna', events: [eventAt(1), eventAt(2)], cursor: 'test.2' },
})

function renderTotal(options: UseTopicsOptions<number>) {
  return renderHook(
    (props: UseTopicsOptions<number>) => useTopics(['orders'], { path: origin.url, ...props }),
    { initialProps: options, reactStrictMode: true },
  )
}

function Total() {
  return <p>{useTopics(['orders'], { path: origin.url, initial, reduce: total }).reduced}</p>
}

describe('reduce', () => {
  test('folds the preloaded events in the first render, on the server too, then those that come', async () => {
    expect(renderToString(<Total />)).toBe('<p>3</p>')
    origin.answer = stream(frame(10), frame(20))

    const { result } = renderTotal({ initial, reduce: total })
    expect(result.current.reduced).toBe(3)
    await until(() => expect(result.current.reduced).toBe(33))
  })

  test('counts events that the list no longer has', async () => {
    origin.answer = stream(...Array.from({ length: 50 }, (_, n) => frame(n + 1)))

    const { result } = renderTotal({ maxEvents: 2, reduce: total })

    await until(() => expect(result.current.events).toHaveLength(2))
    expect(result.current.reduced).toBe(1_275)
  })

  test.each([
    ['keep', 12],
    ['reset', 9],
  ] as const)('at a gap: %s', async (onGap, sum) => {
    origin.answer = stream(resync, frame(9))

    const { result } = renderTotal({ initial, reduce: { ...total, onGap } })

    await until(() => expect(result.current.events).toHaveLength(3))
    expect(result.current.reduced).toBe(sum)
  })

  test('starts over when the list is cleared, and uses the newest reducer', async () => {
    const { result, rerender } = renderTotal({ initial, reduce: total })
    await until(() => expect(result.current.status).toBe('open'))

    act(() => result.current.clear())
    expect(result.current.reduced).toBe(0)
    rerender({ initial, reduce: { initialState: 0, reducer: (sum) => sum - 1 } })
    origin.requests[0]?.response.write(frame(3))

    await until(() => expect(result.current.reduced).toBe(-1))
    expect(origin.requests).toHaveLength(1)
  })

  test('a reducer that throws for an event leaves the value as it was, and is told to onError', async () => {
    const onError = vi.fn<(error: StreamError) => void>()
    const picky: Reduce<TopicEvent, number> = {
      initialState: 0,
      reducer(sum, { data }) {
        if (data !== '4') throw new Error(`No ${data}`)
        return sum + 4
      },
    }
    origin.answer = stream(frame(3), frame(4))

    const { result } = renderTotal({ initial, reduce: picky, onError })

    await until(() => expect(result.current.reduced).toBe(4))
    expect(result.current.events).toHaveLength(4)
    expect(onError.mock.calls.map(([{ kind, cause }]) => [kind, (cause as Error).message])).toEqual(
      [
        ['event', 'No 1'],
        ['event', 'No 2'],
        ['event', 'No 3'],
      ],
    )
  })

  test('has the type of its value; without reduce there is none', () => {
    const use = () => ({
      none: useTopics(['orders'], { path: origin.url }).reduced,
      names: useTopics(['orders'], {
        path: origin.url,
        reduce: { initialState: [] as string[], reducer: (names, { type }) => [...names, type] },
      }).reduced,
    })

    const { result } = renderHook(use)

    expect(result.current).toEqual({ none: undefined, names: [] })
    expectTypeOf(result.current).toEqualTypeOf<{ none: undefined; names: string[] }>()
  })
})
