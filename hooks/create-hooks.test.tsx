// @vitest-environment jsdom
/** Hooks of defined topics: what they read, leave out and tell. What must not compile is here, too. */
import { act, renderHook } from '@testing-library/react'
import { describe, expect, expectTypeOf, test, vi } from 'vitest'
import * as z from 'zod'
import type { StreamError } from '@/client/stream-error'
import { defineTopics, type Topics } from '@/protocol/topics/define-topics'
import { encodePreloaded } from '@/protocol/preloaded'
import { json } from '@/protocol/topics/schema'
import { UnreadableEventError } from '@/protocol/unreadable-event'
import { installHookOrigin, origin, stream, until } from '@/test/doubles/hook-origin'
import { createHooks } from './create-hooks'

installHookOrigin()

const topics = defineTopics({
  orders: { paid: z.object({ amount: z.number() }), noted: json() },
  'user.*': { when: z.iso.datetime().transform((text) => new Date(text)) },
})

/** An event as our server sends it. */
function frame(id: number, topic: string, type: string, data: unknown, key?: string): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data)
  return `data: ${JSON.stringify({ topic, key, type, time: id, data: text })}\nid: test.${id}\n\n`
}

const when = '2026-01-02T03:04:05Z'

describe('createHooks', () => {
  test('with the schemas, reads events by them, and knows their keys', async () => {
    origin.answer = stream(
      frame(1, 'orders', 'paid', { amount: 1, more: true }),
      frame(2, 'user.42', 'when', JSON.stringify(when)),
    )
    const { useTopics } = createHooks(topics, { path: origin.url })
    const { result } = renderHook(() => useTopics(['orders', 'user.42']))

    await until(() => expect(result.current.events).toHaveLength(2))

    expect(result.current.events).toEqual([
      expect.objectContaining({ key: 'orders', type: 'paid', data: { amount: 1 }, id: 'test.1' }),
      expect.objectContaining({ key: 'user.*', topic: 'user.42', data: new Date(when), seq: 2 }),
    ])
    expect(origin.requests[0]?.url).toBe('/events/orders,user.42?envelope=1')
  })

  test('with types alone, gives the JSON as it came, and the key that the server names', async () => {
    origin.answer = stream(
      frame(1, 'orders', 'paid', { amount: 1, more: true }),
      frame(2, 'user.42', 'when', JSON.stringify(when), 'user.*'),
    )
    const { useTopics } = createHooks<typeof topics>()
    const { result } = renderHook(() => useTopics(['orders', 'user.42'], { path: origin.url }))

    await until(() => expect(result.current.events).toHaveLength(2))

    expect(result.current.events).toEqual([
      expect.objectContaining({ key: 'orders', data: { amount: 1, more: true } }),
      expect.objectContaining({ key: 'user.*', topic: 'user.42', data: when }),
    ])
  })

  test('leaves out what its schemas do not fit, says what to do, and loses nothing', async () => {
    // The server has a newer definition than this page.
    const newer = [
      frame(1, 'orders', 'paid', { total: 1 }),
      frame(2, 'orders', 'refunded', { amount: 1 }),
      frame(3, 'orders', 'noted', '{'),
      frame(4, 'orders', 'paid', { amount: 4 }),
    ]
    origin.answer = stream(...newer)
    const errors: StreamError[] = []
    const seen: unknown[] = []
    const { useTopics } = createHooks(topics, { path: origin.url })
    const { result } = renderHook(() =>
      useTopics(['orders'], {
        onError: (error) => errors.push(error),
        onEvent: ({ data }) => seen.push(data),
        reduce: { initialState: 0, reducer: (count) => count + 1 },
      }),
    )

    await until(() => expect(result.current.events).toHaveLength(1))

    expect(result.current).toMatchObject({
      status: 'open',
      events: [{ data: { amount: 4 } }],
      received: 4,
      unreadable: 3,
      reduced: 1,
      lastEventId: 'test.4',
    })
    expect(seen).toEqual([{ amount: 4 }])
    const advice = 'If the app was deployed after this page was loaded, reload the page.'
    expect(errors.map(({ kind, message }) => [kind, message])).toEqual([
      [
        'event',
        `The event paid of orders can't be read: amount: Invalid input: expected number, received undefined ${advice}`,
      ],
      ['event', `The event refunded of orders can't be read: it is not defined. ${advice}`],
      ['event', `The event noted of orders can't be read: The data is not JSON. ${advice}`],
    ])
    expect(errors.map(({ event }) => event?.id)).toEqual(['test.1', 'test.2', 'test.3'])
    expect(errors[0]?.event?.data).toContain(String.raw`{\"total\":1}`)
    expect(errors[0]?.cause).toBeInstanceOf(UnreadableEventError)

    act(() => result.current.clear())
    expect(result.current.unreadable).toBe(0)
  })

  test('with types alone, leaves out what is not JSON', async () => {
    origin.answer = stream(frame(1, 'orders', 'noted', 'hello'), frame(2, 'orders', 'noted', '1'))
    const onError = vi.fn<(error: StreamError) => void>()
    const { useTopics } = createHooks<typeof topics>({ path: origin.url })
    const { result } = renderHook(() => useTopics(['orders'], { onError }))

    await until(() => expect(result.current.events).toHaveLength(1))

    expect(result.current.unreadable).toBe(1)
    expect(onError.mock.calls[0]?.[0].message).toContain('its data is not JSON. If the app')
  })

  test.each([createHooks(topics), createHooks<typeof topics>() as never])(
    'leaves out what says how a run stands',
    async ({ useTopics }) => {
      origin.answer = stream(
        frame(1, 'orders', 'run.begin', { run: 'a' }),
        frame(2, 'orders', 'noted', 1),
      )
      const { result } = renderHook(() => useTopics(['orders'], { path: origin.url }))

      await until(() => expect(result.current.received).toBe(2))

      expect(result.current).toMatchObject({ events: [{ type: 'noted' }], unreadable: 0 })
    },
  )

  test('reads what was preloaded in the same way, from the first render on', () => {
    const event = { id: 'test.1', topic: 'user.42', type: 'when', data: JSON.stringify(when) }
    const unreadable = { ...event, id: 'test.2', data: '"never"' }
    const initial = encodePreloaded({
      topics: ['user.42'],
      keys: ['user.*'],
      path: '/events',
      time: 1,
      answer: {
        reader: 'annaannaannaanna',
        cursor: 'test.2',
        events: [event, unreadable].map((each) => ({ ...each, time: 1 })),
      },
    })
    const checked = createHooks(topics, { path: origin.url })
    const unchecked = createHooks<typeof topics>({ path: origin.url })

    const withSchemas = renderHook(() => checked.useTopics(['user.42'], { initial }))
    const withTypes = renderHook(() => unchecked.useTopics(['user.42'], { initial }))

    expect(withSchemas.result.current).toMatchObject({
      events: [{ key: 'user.*', data: new Date(when) }],
      unreadable: 1,
    })
    expect(withTypes.result.current).toMatchObject({
      events: [
        { key: 'user.*', data: when },
        { key: 'user.*', data: 'never' },
      ],
    })
  })

  test('refreshes by its topics, where they are mounted', async () => {
    origin.answer = stream('event: connected\ndata: {}\n\n', frame(1, 'orders', 'noted', 1))
    const refresh = vi.fn<() => void>()
    const { useRefresh } = createHooks(topics, { path: origin.url })
    const { result } = renderHook(() => useRefresh(['orders', 'user.42'], refresh, { from: 'a.1' }))

    await until(() => expect(refresh).toHaveBeenCalledTimes(1))

    expect(result.current.status).toBe('open')
    expect(origin.requests[0]?.url).toBe('/events/orders,user.42?envelope=1&lastEventId=a.1')
  })

  test('gives events that key, topic and type narrow', () => {
    const id = String(42)
    const checked = createHooks(topics)
    const unchecked = createHooks<typeof topics>({ path: '/live' })
    const open = createHooks(defineTopics({ '*': { message: z.string() } }))
    const compile = (): void => {
      const [event] = checked.useTopics(['orders', `user.${id}`], {
        onEvent: (each) => {
          if (each.type === 'paid') expectTypeOf(each.data).toEqualTypeOf<{ amount: number }>()
        },
      }).events
      if (event?.key === 'user.*') expectTypeOf(event.data).toEqualTypeOf<Date>()
      if (event?.type === 'paid') expectTypeOf(event.topic).toEqualTypeOf<'orders'>()
      const [asSent] = unchecked.useTopics([`user.${id}`]).events
      expectTypeOf(asSent?.data).toEqualTypeOf<string | undefined>()
      const { reduced } = checked.useTopics(['orders'], {
        reduce: {
          initialState: 0,
          reducer: (sum, each) => (each.type === 'paid' ? sum + each.data.amount : sum),
        },
      })
      expectTypeOf(reduced).toEqualTypeOf<number>()
      checked.useTopics([])
      open.useTopics([id])
      checked.useRefresh(['orders', `user.${id}`], () => {})
      open.useRefresh([id], () => {})
      // @ts-expect-error a typo
      checked.useTopics(['ordres'])
      // @ts-expect-error any string
      unchecked.useTopics([id])
      // @ts-expect-error a typo
      checked.useRefresh(['ordres'], () => {})
      // @ts-expect-error any string
      unchecked.useRefresh([id], () => {})
      // @ts-expect-error the input of the schema is a string
      unchecked.useTopics(['user.42'], { onEvent: ({ data }) => data.getTime() })
      // @ts-expect-error useTopics itself reads text
      createHooks<Topics>().useTopics(['a'], { types: {} })
    }

    expectTypeOf(compile).returns.toBeVoid()
  })
})
