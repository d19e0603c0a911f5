import { describe, expect, test } from 'vitest'
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatId,
  formatStopwatch,
  nounFor,
  timeOfDay,
} from './format'

describe('formatCount', () => {
  test('groups the digits, and stops counting above the highest number', () => {
    expect(formatCount(999)).toBe('999')
    expect(formatCount(10_000)).toBe('10,000')
    expect(formatCount(9_999, 9_999)).toBe('9,999')
    expect(formatCount(10_000, 9_999)).toBe('9,999+')
  })
})

test('nounFor is the singular for one alone', () => {
  expect([0, 1, 2].map((count) => nounFor(count, 'event'))).toEqual(['events', 'event', 'events'])
})

describe('formatBytes', () => {
  test('counts bytes, not characters', () => {
    expect(formatBytes('')).toBe('0 B')
    expect(formatBytes('grüße')).toBe('7 B')
  })

  test('rounds up, so that a size just over a limit does not read like the limit', () => {
    expect(formatBytes('x'.repeat(64 * 1024))).toBe('64 KiB')
    expect(formatBytes('x'.repeat(64 * 1024 + 1))).toBe('64.1 KiB')
  })
})

test.each([
  [-5, '0 ms'],
  [99, '99 ms'],
  [100, '0.1 s'],
  [2_000, '2.0 s'],
  [59_949, '59.9 s'],
  [59_950, '1 min 0 s'],
  [95_000, '1 min 35 s'],
])('formatDuration of %d ms is %s', (durationMs, text) => {
  expect(formatDuration(durationMs)).toBe(text)
})

test.each([
  [0, '0:00'],
  [724_500, '12:04'],
  [4_324_000, '1:12:04'],
])('formatStopwatch of %d ms is %s', (durationMs, text) => {
  expect(formatStopwatch(durationMs)).toBe(text)
})

test('timeOfDay has the minutes apart from the seconds', () => {
  const time = new Date(2026, 0, 5, 14, 3, 21, 4).getTime()

  expect(timeOfDay(time)).toEqual(['14:03:', '21.004'])
})

test('formatId is the number of the event, or the whole id where it has none', () => {
  expect(formatId('k3f9.42')).toBe('42')
  expect(formatId('order-7')).toBe('order-7')
  expect(formatId('')).toBe('')
})
