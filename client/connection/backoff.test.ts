import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { backoffMs } from './backoff'

const least = (): number => 0
const most = (): number => 1

describe('backoffMs', () => {
  test('the ceiling doubles with every failure, up to half a minute', () => {
    const ceilings = [1, 2, 3, 4, 5, 6, 7, 60].map((failures) => backoffMs(failures, 0, most))

    expect(ceilings).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  })

  test('jitter reaches down to a quarter of a second', () => {
    expect([1, 5, 60].map((failures) => backoffMs(failures, 0, least))).toEqual([250, 250, 250])
  })

  test('never less than the server asked for', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.nat(100_000), (failures, askedMs) => {
        expect(backoffMs(failures, askedMs)).toBeGreaterThanOrEqual(askedMs)
      }),
    )
  })
})
