import { describe, expect, test } from 'vitest'
import { isJson, parseJsonObject } from './json'

describe('parseJsonObject', () => {
  test('returns the members of an object', () => {
    expect(parseJsonObject(' {"a":1,"b":[{}]} ')).toEqual({ a: 1, b: [{}] })
  })

  test.each(['', '{', 'undefined', 'null', '1', '"{}"', '[]', '[{}]', '{}{}'])(
    'gives nothing for %j',
    (text) => {
      expect(parseJsonObject(text)).toBeUndefined()
    },
  )
})

test.each([
  ['{}', true],
  ['null', true],
  ['"text"', true],
  ['', false],
  ['{', false],
  ['undefined', false],
])('isJson says of %j: %s', (text, isIt) => {
  expect(isJson(text)).toBe(isIt)
})
