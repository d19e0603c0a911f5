/** The compiler is the test: this file must compile with TypeScript 7 and 5.9, and each `@ts-expect-error` must be an error. */
import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, expectTypeOf, test } from 'vitest'
import * as z from 'zod'
import * as mini from 'zod/mini'
import { defineTopics, type Topics } from './define-topics'
import { json, type JsonValue } from './schema'
import type { EventOf, InputOf, TopicOf, TypeOf } from './topic-types'

const toDate = (text: string): Date => new Date(text)

const topics = defineTopics({
  orders: {
    'order.paid': z.object({ id: z.string(), amount: z.number() }),
    created: z.object({ n: z.number() }),
  },
  stock: {
    created: v.object({ sku: v.string() }),
    at: v.pipe(v.string(), v.transform(toDate)),
  },
  'user.*': {
    bell: type({ from: 'string' }),
    when: z.iso.datetime().transform(toDate),
  },
  'chat.room.*': { said: mini.object({ text: mini.optional(mini.string()) }) },
})
type Defined = typeof topics

const open = defineTopics({
  orders: { paid: z.object({ amount: z.number() }) },
  notes: { '*': json() },
  '*': { message: z.string() },
})
type Open = typeof open

describe('defineTopics', () => {
  test('takes the schemas of any library, json() and an interface of your own', () => {
    interface Tree {
      name: string
      branches: Tree[]
      note?: string | undefined
    }
    const category = z.object({
      name: z.string(),
      get subcategories() {
        return z.array(category)
      },
    })

    defineTopics({
      a: {
        tree: json<Tree>(),
        any: json(),
        anyOfZod: z.json(),
        recursive: category,
        union: z.discriminatedUnion('kind', [
          z.object({ kind: z.literal('a'), n: z.number().nullable() }),
          z.object({ kind: z.literal('b'), list: z.array(z.tuple([z.string(), z.number()])) }),
        ]),
        record: v.record(v.string(), v.optional(v.number())),
        optional: type({ 'note?': 'string', list: 'string[]' }),
        branded: z.string().brand('id'),
        mini: mini.nullable(mini.boolean()),
        converted: z.string().transform(Number).pipe(z.number()),
        codec: z.codec(z.iso.datetime(), z.date(), {
          decode: toDate,
          encode: (date) => date.toISOString(),
        }),
      },
    })
  })

  test('refuses a schema whose input is not JSON', () => {
    const date = z.object({ at: z.date() })
    // @ts-expect-error a Date arrives as a string
    defineTopics({ a: { b: date } })
    const coerced = z.object({ at: z.coerce.date() })
    // @ts-expect-error its input is unknown
    defineTopics({ a: { b: coerced } })
    const any = z.any()
    // @ts-expect-error anything may be a Date
    defineTopics({ a: { b: any } })
    const optional = v.optional(v.string())
    // @ts-expect-error undefined has no JSON text
    defineTopics({ a: { b: optional } })
    const holes = v.array(v.optional(v.string()))
    // @ts-expect-error undefined in an array becomes null
    defineTopics({ a: { b: holes } })
    const map = mini.map(mini.string(), mini.string())
    // @ts-expect-error a Map becomes {}
    defineTopics({ a: { b: map } })
    const big = type({ n: 'bigint' })
    // @ts-expect-error a bigint throws
    defineTopics({ a: { b: big } })
    const dated = json<{ at: Date }>()
    // @ts-expect-error neither does json() make it JSON
    defineTopics({ a: { b: dated } })
  })

  test('refuses overlapping keys', () => {
    const schemas = { b: z.string() }
    // @ts-expect-error user.* has user.me
    expectError(() => defineTopics({ 'user.*': schemas, 'user.me': schemas }))
    // @ts-expect-error a.* has a.b.c.*
    expectError(() => defineTopics({ 'a.*': schemas, 'a.b.c.*': schemas }))

    defineTopics({ '*': schemas, user: schemas, 'user.*': schemas, 'users.*': schemas })
  })

  test('refuses reserved types', () => {
    // @ts-expect-error a control event
    expectError(() => defineTopics({ a: { resync: z.string() } }))
    // @ts-expect-error an event of a run
    expectError(() => defineTopics({ a: { 'run.end': z.string() } }))
  })
})

describe('TopicOf', () => {
  test('names the topics', () => {
    expectTypeOf<TopicOf<Defined>>().toEqualTypeOf<
      'orders' | 'stock' | `user.${string}` | `chat.room.${string}`
    >()
    expectTypeOf<TopicOf<Open>>().toEqualTypeOf<string>()
    expectTypeOf<TopicOf<Topics>>().toEqualTypeOf<string>()
  })
})

describe('TypeOf', () => {
  test('names the types of a topic, or those that several topics share', () => {
    expectTypeOf<TypeOf<Defined, 'orders'>>().toEqualTypeOf<'order.paid' | 'created'>()
    expectTypeOf<TypeOf<Defined, `user.${string}`>>().toEqualTypeOf<'bell' | 'when'>()
    expectTypeOf<TypeOf<Defined, 'user.42.inbox'>>().toEqualTypeOf<'bell' | 'when'>()
    expectTypeOf<TypeOf<Defined, `chat.room.${string}`>>().toEqualTypeOf<'said'>()
    expectTypeOf<TypeOf<Defined, 'orders' | 'stock'>>().toEqualTypeOf<'created'>()
    expectTypeOf<TypeOf<Open, 'orders'>>().toEqualTypeOf<'paid'>()
    expectTypeOf<TypeOf<Open, 'elsewhere'>>().toEqualTypeOf<'message'>()
    expectTypeOf<TypeOf<Open, 'notes'>>().toEqualTypeOf<string>()
  })
})

describe('InputOf', () => {
  test('is what the schema takes, before its defaults and transforms', () => {
    expectTypeOf<InputOf<Defined, 'orders', 'order.paid'>>().toEqualTypeOf<{
      id: string
      amount: number
    }>()
    expectTypeOf<InputOf<Defined, 'user.42', 'when'>>().toEqualTypeOf<string>()
    expectTypeOf<InputOf<Defined, 'chat.room.a', 'said'>>().toEqualTypeOf<{
      text?: string | undefined
    }>()
    expectTypeOf<InputOf<Open, 'notes', 'anything'>>().toEqualTypeOf<JsonValue>()
  })

  test('of several topics or types is what fits all of them', () => {
    expectTypeOf<InputOf<Defined, 'orders' | 'stock', 'created'>>().toEqualTypeOf<
      { n: number } & { sku: string }
    >()
    expectTypeOf<InputOf<Defined, 'user.42', 'bell' | 'when'>>().toEqualTypeOf<
      { from: string } & string
    >()
  })
})

describe('EventOf', () => {
  test('is a union that key, topic and type narrow', () => {
    const read = (event: EventOf<Defined, 'orders' | 'stock' | `user.${string}`>): void => {
      if (event.type === 'when') expectTypeOf(event.data).toEqualTypeOf<Date>()
      if (event.key === 'user.*' && event.type === 'bell') {
        expectTypeOf(event.data.from).toEqualTypeOf<string>()
      }
      if (event.type === 'created' && event.topic === 'orders') {
        expectTypeOf(event.data).toEqualTypeOf<{ n: number }>()
      }
      if (event.type === 'created' && event.key === 'stock') {
        expectTypeOf(event.data).toEqualTypeOf<{ sku: string }>()
      }
      switch (event.key) {
        case 'orders':
        case 'stock':
        case 'user.*':
          break
        default:
          event satisfies never
      }
    }

    expectTypeOf(read).returns.toBeVoid()
  })

  test('has the input of its schema where only types are known', () => {
    type When = Extract<EventOf<Defined, 'user.42', 'input'>, { type: 'when' }>

    expectTypeOf<When['data']>().toEqualTypeOf<string>()
  })

  test('of any string is of any key', () => {
    expectTypeOf<EventOf<Open, string>['key']>().toEqualTypeOf<'orders' | 'notes' | '*'>()
    expectTypeOf<EventOf<Open, 'elsewhere'>['key']>().toEqualTypeOf<'*'>()
    expectTypeOf<EventOf<Open, 'orders'>['key']>().toEqualTypeOf<'orders'>()
  })
})

/** What the compiler refuses fails at run time, too. */
function expectError(define: () => unknown): void {
  expect(define).toThrow('defineTopics: ')
}
