import { expect, test } from 'vitest'
import { indexFrom } from './lower-bound'

test('indexFrom finds the first event that is not older', () => {
  const events = [{ seq: 3 }, { seq: 5 }, { seq: 9 }]

  const indexes = [0, 3, 4, 5, 9, 10].map((seq) => indexFrom(events, seq))

  expect(indexes).toEqual([0, 0, 1, 1, 2, 3])
  expect(indexFrom([], 1)).toBe(0)
})
