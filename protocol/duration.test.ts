import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseDuration } from './duration'

describe('parseDuration', () => {
  test.each([
    ['0s', 0],
    ['500ms', 500],
    ['15s', 15_000],
    ['10m', 600_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    ['007s', 7_000],
    ['9007199254740991ms', Number.MAX_SAFE_INTEGER],
  ])('%s is %d milliseconds', (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs)
  })

  test('any whole number of milliseconds that can be counted exactly is read back', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (durationMs) => {
        expect(parseDuration(`${durationMs}ms`)).toBe(durationMs)
      }),
    )
  })

  test.each([
    '',
    '10',
    's',
    '10 s',
    ' 10s',
    '10s\n',
    '10S',
    '-1s',
    '+1s',
    '1.5h',
    '1e3ms',
    '1h30m',
    '٣s',
    'all',
    'Infinity',
  ])('%j is no duration', (text) => {
    expect(parseDuration(text)).toBeUndefined()
  })

  test.each(['9007199254740992ms', '104249992d', `${'9'.repeat(400)}d`])(
    '%s is too long to count exactly',
    (text) => {
      expect(parseDuration(text)).toBeUndefined()
    },
  )
})
