import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import * as mini from 'zod/mini'
import { AsyncSchemaError, json, parseText, SchemaError, text, type Schema } from './schema'

/** The error of a text that does not fit. */
function errorOf(schema: Schema, value: unknown): SchemaError {
  try {
    parseText(schema, JSON.stringify(value))
  } catch (error) {
    if (error instanceof SchemaError) return error
    throw error
  }
  throw new Error('It fits.')
}

/** A schema with this answer. */
function answering(answer: ReturnType<StandardSchemaV1['~standard']['validate']>): Schema {
  return { '~standard': { version: 1, vendor: 'test', validate: () => answer } }
}

describe('parseText', () => {
  test.each<[string, Schema]>([
    ['Zod', z.object({ list: z.array(z.object({ n: z.number() })) })],
    ['Zod Mini', mini.object({ list: mini.array(mini.object({ n: mini.number() })) })],
    ['Valibot', v.object({ list: v.array(v.object({ n: v.number() })) })],
    ['ArkType', type({ list: type({ n: 'number' }).array() })],
  ])('names the path of what does not fit a schema of %s', (_, schema) => {
    expect(parseText(schema, '{"list":[{"n":1}]}')).toEqual({ list: [{ n: 1 }] })
    const [issue, ...more] = errorOf(schema, { list: [{ n: 1 }, { n: 'x' }] }).issues
    expect(issue?.path).toEqual(['list', 1, 'n'])
    expect(more).toEqual([])
    expect(errorOf(schema, 7).issues.map(({ path }) => path)).toEqual([[]])
  })

  test.each<[string, Schema]>([
    ['Zod', z.strictObject({ a: z.number(), b: z.enum(['x', 'y']), c: z.number().min(50) })],
    [
      'Valibot',
      v.strictObject({
        a: v.number(),
        b: v.picklist(['x', 'y']),
        c: v.pipe(v.number(), v.minValue(50)),
      }),
    ],
    ['ArkType', type({ a: 'number', b: "'x'|'y'", c: 'number>=50', '+': 'reject' })],
  ])('never shows the value to which a schema of %s objects', (_, schema) => {
    const value = { a: 'the password', b: 'pin', c: 47.11, d: { e: 'deep secret' } }

    const { message } = errorOf(schema, value)

    expect(message).not.toMatch(/password|pin|47|secret/)
    expect(errorOf(schema, 'the password').message).not.toContain('password')
  })

  test('limits the issues and their messages', () => {
    const issues = Array.from({ length: 1_000 }, () => ({ message: 'x'.repeat(1_000) }))

    const error = errorOf(answering({ issues }), 1)

    expect(error.issues).toHaveLength(20)
    expect(error.issues[0]?.message).toHaveLength(300)
    expect(error.cause).toBe(issues)
  })

  test('takes path segments, symbols and paths that lead nowhere', () => {
    const path = [{ key: 'a' }, Symbol('b'), 0, 'toString']

    expect(errorOf(answering({ issues: [{ message: 'm', path }] }), { a: null }).issues).toEqual([
      { path: ['a', 'Symbol(b)', 0, 'toString'], message: 'm' },
    ])
  })

  test('says when the text is not JSON', () => {
    expect(() => parseText(json(), '{')).toThrow(new SchemaError([]))
    expect(new SchemaError([]).message).toBe('The data is not JSON.')
  })

  test('refuses an answer that is a Promise, and leaves no rejection behind', async () => {
    const rejected = answering(Promise.reject(new Error('unheard')))

    expect(() => parseText(rejected, '1')).toThrow(AsyncSchemaError)
    expect(() => parseText(rejected, '1')).toThrow(TypeError)
    await new Promise((resolve) => setTimeout(resolve, 1))
  })
})

describe('json', () => {
  test.each(['1', '"a"', 'null', '[{}]', '{"a":{"b":[]}}'])('takes %s as it is', (data) => {
    expect(parseText(json(), data)).toEqual(JSON.parse(data))
  })
})

test.each(['hello', '{"a":1}', '', '"quoted"'])('text() takes %j as it is', (data) => {
  expect(parseText(text(), data)).toBe(data)
})
