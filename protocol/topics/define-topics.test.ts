import { describe, expect, test } from 'vitest'
import { defineTopics, keyOf, schemaOf, type TopicDefinition } from './define-topics'
import { json } from './schema'

const any = json()
const schemas = { a: any }

/** As from JavaScript, which no compiler checks. */
function define(definition: TopicDefinition): unknown {
  return (defineTopics as (definition: TopicDefinition) => unknown)(definition)
}

describe('defineTopics', () => {
  test.each(['user*', 'a,b', '', '.*', '*.a', 'a.*.*', '**', 'é'])('refuses the key %j', (key) => {
    expect(() => define({ [key]: schemas })).toThrow(
      `defineTopics: ${JSON.stringify(key)} must be a topic, prefix.* or *.`,
    )
  })

  test.each([
    ['user.me', 'user.*'],
    ['user.me.*', 'user.*'],
    ['a.b.c.d', 'a.b.*'],
    ['a..b', 'a.*'],
  ])('refuses %s beside %s, in any order', (key, wider) => {
    const message = `defineTopics: ${key} overlaps ${wider}. Remove or rename one of them.`

    expect(() => define({ [key]: schemas, [wider]: schemas })).toThrow(message)
    expect(() => define({ [wider]: schemas, [key]: schemas })).toThrow(message)
  })

  test('takes keys that only look alike', () => {
    define({ user: schemas, 'user.*': schemas, 'users.a': schemas, '*': schemas, 'a.': schemas })
  })

  test.each(['connected', 'error', 'run.end', 'run.'])('refuses the reserved type %s', (type) => {
    expect(() => define({ a: { [type]: any } })).toThrow(`the type ${type} of a is reserved`)
  })

  test.each(['', 'a b', '*a', '.a'])('refuses the type %j', (type) => {
    expect(() => define({ a: { [type]: any } })).toThrow('of a is not an event type')
  })
})

describe('keyOf', () => {
  const topics = defineTopics({ orders: schemas, 'user.*': schemas, 'chat.room.*': schemas })
  const open = defineTopics({ orders: schemas, 'user.*': schemas, '*': schemas })

  test.each([
    ['orders', 'orders', 'orders'],
    ['user.42', 'user.*', 'user.*'],
    ['user.42.inbox', 'user.*', 'user.*'],
    ['chat.room.a', 'chat.room.*', '*'],
    ['user', undefined, '*'],
    ['user.', undefined, '*'],
    ['chat.lobby', undefined, '*'],
    ['toString', undefined, '*'],
    ['user.*', 'user.*', 'user.*'],
  ])('of %s is %s, and %s where * is defined', (topic, key, keyWhenOpen) => {
    expect([keyOf(topics, topic), keyOf(open, topic)]).toEqual([key, keyWhenOpen])
  })
})

describe('schemaOf', () => {
  test('is the schema of the type, or that of *', () => {
    const [a, rest] = [json(), json()]
    const topics = defineTopics({ closed: { a }, open: { a, '*': rest } })

    expect(schemaOf(topics, 'closed', 'a')).toBe(a)
    expect(schemaOf(topics, 'closed', 'b')).toBeUndefined()
    expect(schemaOf(topics, 'closed', 'toString')).toBeUndefined()
    expect(schemaOf(topics, 'open', 'a')).toBe(a)
    expect(schemaOf(topics, 'open', 'toString')).toBe(rest)
  })
})
