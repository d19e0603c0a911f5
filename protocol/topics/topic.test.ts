import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isTopic, maxTopics, parseTopics } from './topic'

const anyTopic = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/)

describe('isTopic', () => {
  test.each(['news', 'a', '0', 'Orders.2026-11_eu', 'a..b', 'constructor', 'x'.repeat(64)])(
    '%s is a topic',
    (topic) => {
      expect(isTopic(topic)).toBe(true)
    },
  )

  test.each([
    '',
    '__proto__',
    '.',
    '..',
    '-a',
    'a b',
    'a/b',
    'a,b',
    'é',
    'a%2C',
    'a\n',
    '\na',
    'a\0',
    'x'.repeat(65),
  ])('%j is no topic', (value) => {
    expect(isTopic(value)).toBe(false)
  })
})

describe('parseTopics', () => {
  test('reads back any list, each topic once and in its first place', () => {
    fc.assert(
      fc.property(fc.array(anyTopic, { minLength: 1, maxLength: maxTopics }), (topics) => {
        const twice = [...topics, ...topics]

        expect(parseTopics(twice.join(','))).toEqual({ topics: [...new Set(topics)] })
      }),
    )
  })

  test('accepts a text exactly when all of its items are topics', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'B', '_', ',', ' ', '.') }), (text) => {
        const isAccepted = 'topics' in parseTopics(text)

        expect(isAccepted).toBe(text.split(',').every(isTopic))
      }),
    )
  })

  test.each(['', ',', ',a', 'a,', 'a,,b'])('%j has an empty item', (text) => {
    expect(parseTopics(text)).toEqual({ fault: 'empty-item' })
  })

  test.each([
    ['a b', 'a b'],
    ['a, b', ' b'],
    ['a,__proto__', '__proto__'],
    ['a,b\n', 'b\n'],
    ['_,,', '_'],
  ])('of %j the item %j is malformed', (text, item) => {
    expect(parseTopics(text)).toEqual({ fault: 'malformed-item', item })
  })

  test('counts topics, not items: 32 are a list, 33 are too many', () => {
    const topics = Array.from({ length: maxTopics }, (_, index) => `t${index}`)

    expect(parseTopics([...topics, 't0', 't1'].join(','))).toEqual({ topics })
    expect(parseTopics([...topics, 'more'].join(','))).toEqual({ fault: 'too-many' })
  })
})
