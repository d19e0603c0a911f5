import { describe, expect, test } from 'vitest'
import { jsonTokens, parseJson } from './json'

function textOf(json: string): string | undefined {
  return jsonTokens(json)
    ?.map(({ text }) => text)
    .join('')
}

test('parseJson is the value, or undefined for a text that is not JSON', () => {
  expect(parseJson('{"a":[1]}')).toEqual({ a: [1] })
  expect(parseJson('null')).toBeNull()
  expect(parseJson('')).toBeUndefined()
  expect(parseJson('{"a":')).toBeUndefined()
})

describe('jsonTokens', () => {
  test.each([
    {},
    [],
    { a: [] },
    { a: {}, b: [[], {}] },
    [1, -2.5e3, true, null, 'x'],
    { 'a:b,{}[]': '"quoted" \\ and {"a":1}', deep: { er: [{ e: 1 }, 'st'] } },
  ])('indents %j as JSON.stringify does', (value) => {
    expect(textOf(JSON.stringify(value))).toBe(JSON.stringify(value, null, 2))
    expect(textOf(JSON.stringify(value, null, 7))).toBe(JSON.stringify(value, null, 2))
  })

  test('keeps numbers and names as they were written', () => {
    expect(textOf('{"id":12345678901234567890,"a":1.0,"a":2}')).toBe(
      '{\n  "id": 12345678901234567890,\n  "a": 1.0,\n  "a": 2\n}',
    )
  })

  test('tells names from values', () => {
    expect(jsonTokens('{"a":"b"}')).toEqual([
      { kind: 'mark', text: '{\n  ' },
      { kind: 'name', text: '"a"' },
      { kind: 'mark', text: ': ' },
      { kind: 'value', text: '"b"' },
      { kind: 'mark', text: '\n}' },
    ])
  })

  test('returns one token for a text that is too long to colour', () => {
    expect(jsonTokens(JSON.stringify(Array.from({ length: 5_000 }, () => 0)))).toHaveLength(1)
  })

  test.each(['', 'text', '{"a":', '42', '"word"'])('%j is not formatted', (text) => {
    expect(jsonTokens(text)).toBeUndefined()
  })
})
