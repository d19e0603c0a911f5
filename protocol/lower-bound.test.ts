import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lowerBound } from './lower-bound'

test('lowerBound finds the same index as a linear search', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(50)).map((numbers) => numbers.toSorted((a, b) => a - b)),
      fc.nat(60),
      fc.nat(60),
      (numbers, wanted, from) => {
        const start = Math.min(from, numbers.length)

        const found = lowerBound(numbers.length, (index) => (numbers[index] ?? 0) < wanted, start)

        const expected = numbers.findIndex((number, at) => at >= start && number >= wanted)
        expect(found).toBe(expected === -1 ? numbers.length : expected)
      },
    ),
  )
})
