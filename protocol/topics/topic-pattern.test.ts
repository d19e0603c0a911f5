import { describe, expect, test } from 'vitest'
import { isTopicPattern, matchesTopic } from './topic-pattern'

describe('isTopicPattern', () => {
  test.each(['*', 'news', 'orders.*', 'a.b-c_d.*', 'A'])('%s is a pattern', (pattern) => {
    expect(isTopicPattern(pattern)).toBe(true)
  })

  test.each(['', '.*', '**', '*.news', 'orders*', 'or*ers', 'orders.*.paid', '-a', 'a b', 'a,b'])(
    '%j is none',
    (pattern) => {
      expect(isTopicPattern(pattern)).toBe(false)
    },
  )
})

describe('matchesTopic', () => {
  test.each([
    ['*', 'anything'],
    ['news', 'news'],
    ['orders.*', 'orders.eu'],
    ['orders.*', 'orders.eu.paid'],
    ['orders.eu.*', 'orders.eu.paid'],
  ])('%s matches %s', (pattern, topic) => {
    expect(matchesTopic(['other', pattern], topic)).toBe(true)
  })

  test.each([
    ['news', 'News'],
    ['news', 'news.eu'],
    ['news.eu', 'news'],
    ['orders.*', 'orders'],
    ['orders.*', 'orders.'],
    ['orders.*', 'ordersXeu'],
    ['orders.*', 'my.orders.eu'],
    ['constructor', 'toString'],
  ])('%s does not match %s', (pattern, topic) => {
    expect(matchesTopic([pattern], topic)).toBe(false)
  })

  test('an empty list matches no topic', () => {
    expect(matchesTopic([], 'news')).toBe(false)
  })
})
