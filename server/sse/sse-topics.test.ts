/** `createSse` with defined topics: what it publishes, refuses and reads. What must not compile is here, too. */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type as arktype } from 'arktype'
import * as v from 'valibot'
import { afterAll, afterEach, describe, expect, expectTypeOf, test, vi } from 'vitest'
import * as z from 'zod'
import { defineTopics } from '@/protocol/topics/define-topics'
import type { UnreadableEventError } from '@/protocol/unreadable-event'
import { json } from '@/protocol/topics/schema'
import type { TopicEvent } from '@/server/hub/read-events'
import { journal } from '@/server/observe/journal'
import { createSse, type Sse } from './sse'

vi.stubEnv('EVENTS_URL', 'memory:')

const toDate = (text: string): Date => new Date(text)

const rejecting: StandardSchemaV1<string> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: () =>
      new Promise((_, reject) => setTimeout(reject, 5, new Error('nobody waits for this'))),
  },
}

const topics = defineTopics({
  orders: {
    'order.paid': z.object({ id: z.string(), amount: z.number() }),
    at: z.iso.datetime().transform(toDate),
    cents: z.object({ amount: z.number().transform((euros) => euros * 100) }),
    noted: json(),
  },
  stock: { noted: v.object({ sku: v.string() }) },
  'user.*': { bell: arktype({ from: 'string' }) },
  faulty: {
    thrown: z.string().transform((text) => text.at(99)!.length),
    later: z.string().refine(() => Promise.resolve(true)),
    rejected: rejecting,
  },
})
const sse = createSse({ topics })
/** Publishes what the schemas no longer list, as an earlier version of the app did. */
const before = createSse()
const id = String(42)

afterEach(() => {
  vi.restoreAllMocks()
})

afterAll(() => sse.close())

describe('publish', () => {
  test('stores the text unchanged, and readers get what the schema makes of it, once', async () => {
    await sse.publish('orders', 'cents', { amount: 12 })
    await sse.publish('orders', 'at', '2026-01-02T03:04:05Z')

    const { events } = await sse.history('orders')
    const texts = await before.history('orders')

    expect(events.map(({ key, topic, type, data }) => ({ key, topic, type, data }))).toEqual([
      { key: 'orders', topic: 'orders', type: 'cents', data: { amount: 1200 } },
      { key: 'orders', topic: 'orders', type: 'at', data: new Date('2026-01-02T03:04:05Z') },
    ])
    expect(texts.events.map(({ data }) => data)).toEqual([
      '{"amount":12}',
      '"2026-01-02T03:04:05Z"',
    ])
  })

  test('takes several events, and a topic of a pattern', async () => {
    await sse.publish(`user.${id}`, [
      { type: 'bell', data: { from: 'Ana' } },
      { type: 'bell', data: { from: 'Bob' } },
    ])

    const { events } = await sse.history(`user.${id}`)

    expect(events.map(({ key, data }) => `${key} ${data.from}`)).toEqual([
      'user.* Ana',
      'user.* Bob',
    ])
  })

  test.each([
    ['ordres', 'order.paid', {}, 'unknown-topic', []],
    ['user', 'bell', { from: 'a' }, 'unknown-topic', []],
    ['orders', 'order.payed', {}, 'unknown-type', []],
    ['orders', 'toString', {}, 'unknown-type', []],
    ['orders', 'connected', {}, 'reserved-type', []],
    [
      'orders',
      'order.paid',
      { id: 'a', amount: '4' },
      'invalid-data',
      [{ path: ['amount'], message: 'Invalid input: expected number, received string' }],
    ],
    [
      'stock',
      'noted',
      { sku: 7 },
      'invalid-data',
      [{ path: ['sku'], message: 'Invalid type: Expected string but received …' }],
    ],
    [
      'user.42',
      'bell',
      { from: 4242 },
      'invalid-data',
      [{ path: ['from'], message: 'from must be a string (was a number)' }],
    ],
    ['faulty', 'thrown', 'short', 'schema-failed', []],
  ])('refuses %s, %s, %j: %s', async (topic, name, data, code, issues) => {
    const failing = (sse as unknown as Sse).publish(topic, name, data)

    await expect(failing).rejects.toMatchObject({ name: 'PublishError', code, issues })
  })

  test('publishes none of several when one does not fit, and says which', async () => {
    const failing = sse.publish('stock', [
      { type: 'noted', data: { sku: 'a' } },
      { type: 'noted', data: { sku: 1 as unknown as string } },
    ])

    await expect(failing).rejects.toThrow('does not fit its schema (noted of stock, event 2)')
    expect((await sse.history('stock')).events).toEqual([])
  })

  test('throws a TypeError for an asynchronous schema, and its rejection harms nobody', async () => {
    for (const slow of ['later', 'rejected'] as const) {
      await expect(sse.publish('faulty', slow, 'x')).rejects.toThrow(
        new TypeError(`The schema of ${slow} of faulty returns a Promise. Use one that does not.`),
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  })

  test('checks many events without holding up the event loop, and names a slow schema once', async () => {
    const busy = (ms: number): void => {
      const until = performance.now() + ms
      while (performance.now() < until);
    }
    const schema = z.number().refine((ms) => (busy(ms), true))
    const slow = createSse({ topics: defineTopics({ slow: { a: schema, b: schema } }) })
    const warn = vi.spyOn(journal, 'warn').mockImplementation(() => {})
    let turns = 0
    const counting = setInterval(() => turns++, 1)

    await slow.publish(
      'slow',
      Array.from({ length: 100 }, () => ({ type: 'a' as const, data: 2 })),
    )
    clearInterval(counting)
    for (const _ of [1, 2]) await slow.publish('slow', 'b', 120)

    expect(turns).toBeGreaterThan(10)
    const toldOfB = warn.mock.calls.filter(([, message]) => message?.includes(' b of slow '))
    expect(toldOfB).toEqual([
      [
        { tookMs: expect.any(Number) as number, length: 3 },
        'The schema of b of slow is slow. While it checks an event, this process does nothing else.',
      ],
    ])
  })

  test('compiles only with what the topics define', () => {
    const any: string = id
    const either = 'orders' as 'orders' | 'stock'
    const compile = async (): Promise<void> => {
      await sse.publish(`user.${id}`, 'bell', { from: 'a' }, { idempotencyKey: 'k' })
      // What fits both topics may go to either.
      await sse.publish(either, 'noted', { sku: 'a' })
      // @ts-expect-error a typo
      await sse.publish('ordres', 'order.paid', { id: 'a', amount: 1 })
      // @ts-expect-error any string
      await sse.publish(any, 'order.paid', { id: 'a', amount: 1 })
      // @ts-expect-error not a type of this topic
      await sse.publish('orders', 'bell', { from: 'a' })
      // @ts-expect-error the input is a string; the output is a Date
      await sse.publish('orders', 'at', new Date())
      // @ts-expect-error no such field
      await sse.publish('orders', 'order.paid', { id: 'a', amount: 1, total: 1 })
      // @ts-expect-error noted of stock has a sku
      await sse.publish(either, 'noted', { n: 1 })
      // @ts-expect-error a type of one topic only
      await sse.publish(either, 'at', '2026-01-02T03:04:05Z')
      // @ts-expect-error at is not of this topic
      await sse.publish('stock', [{ type: 'at', data: 'a' }])
    }

    expectTypeOf(compile).returns.toEqualTypeOf<Promise<void>>()
    expectTypeOf(createSse()).toEqualTypeOf<Sse>()
    expectTypeOf(sse).toEqualTypeOf<Sse<typeof topics>>()
  })
})

describe('history and read', () => {
  test('leave out what does not fit its schema, tell it, and count it', async () => {
    const told: string[] = []
    const onUnreadable = (error: UnreadableEventError, { data }: TopicEvent): void => {
      told.push(`${error.message} ${data}`)
    }
    await before.publish('user.old', 'bell', { sender: 'Ana' })
    await before.publish('user.old', 'whistle', { from: 'Ana' })
    await sse.publish('user.old', 'bell', { from: 'Bob' })

    const { events, unreadable } = await sse.history('user.old', { onUnreadable })
    const read: string[] = []
    for await (const { data } of sse.read('user.old', { since: 'all', onUnreadable })) {
      read.push(data.from)
      break
    }

    expect(events.map(({ data }) => data)).toEqual([{ from: 'Bob' }])
    expect(unreadable).toBe(2)
    expect(read).toEqual(['Bob'])
    const expected = [
      `The event bell of user.old can't be read: from: from must be a string (was missing) {"sender":"Ana"}`,
      `The event whistle of user.old can't be read: it is not defined. {"from":"Ana"}`,
    ]
    expect(told).toEqual([...expected, ...expected])
  })

  test('tell the journal by default, once for each type and without the data', async () => {
    await before.publish('user.loud', 'horn', 'a secret')
    const warn = vi.spyOn(journal, 'warn').mockImplementation(() => {})

    for (const _ of [1, 2]) await sse.history('user.loud')

    expect(warn).toHaveBeenCalledOnce()
    expect(JSON.stringify(warn.mock.calls)).toContain('horn of user.loud')
    expect(JSON.stringify(warn.mock.calls)).not.toContain('secret')
  })

  test('refuse topics that are not defined', async () => {
    const untyped = sse as unknown as Sse

    await expect(untyped.history(['orders', 'ordres'])).rejects.toMatchObject({
      name: 'ReadError',
      code: 'unknown-topic',
    })
    await expect(untyped.read('ordres')[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'unknown-topic',
    })
  })

  test('give events that key, topic and type narrow', () => {
    const compile = async (): Promise<void> => {
      const { events } = await sse.history(['orders', `user.${id}`], { last: 5 })
      for (const event of events) {
        if (event.type === 'at') expectTypeOf(event.data).toEqualTypeOf<Date>()
        if (event.key === 'user.*') expectTypeOf(event.data).toEqualTypeOf<{ from: string }>()
      }
      for await (const event of sse.read('stock')) {
        expectTypeOf(event.data).toEqualTypeOf<{ sku: string }>()
      }
      // @ts-expect-error a typo
      await sse.history(['orders', 'ordres'])
    }

    expectTypeOf(compile).returns.toEqualTypeOf<Promise<void>>()
  })
})

describe('run', () => {
  test('yields only what its topic defines', async () => {
    const { ended } = await sse.run('stock', async function* () {
      yield { type: 'noted', data: { sku: 'a' } }
    })
    expect(await ended).toEqual({ status: 'done' })
    const { events, unreadable } = await sse.history('stock')
    expect(events.map(({ data }) => data)).toEqual([{ sku: 'a' }])
    expect(unreadable).toBe(0)

    const compile = async (): Promise<void> => {
      await sse.runOf('stock')
      // @ts-expect-error a typo
      await sse.stop('stocks')
      // @ts-expect-error not a type of this topic
      await sse.run('stock', async function* () {
        yield { type: 'bell', data: { sku: 'a' } }
      })
    }
    expectTypeOf(compile).returns.toEqualTypeOf<Promise<void>>()
  })
})
