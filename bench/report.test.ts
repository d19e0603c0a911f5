import { expect, test } from 'vitest'
import { fanOut } from './parts/fan-out'
import { medians, tableOf, type Result } from './report'

test('The median of each figure is told, of the runs that have it', () => {
  const runs = [{ a: 3, b: NaN }, { a: 1, b: 4 }, { a: 2 }]

  expect(medians(runs)).toEqual({ a: 2, b: 4 })
})

test('A compared figure has its ratio to ours, and a server with a failed run its mark', () => {
  const result = (server: string, value: number): Result => ({
    part: 'fan-out',
    load: 'some',
    server,
    figures: { 'CPU, µs/delivery': value, missing: 0 },
    runs: [],
    faults: server === 'other' ? ['It ended.'] : [],
  })

  const [, , ours, other] = tableOf(fanOut, [result('ours', 10), result('other', 25)]).split('\n')

  expect(ours?.split(/ *\| */).slice(1, -1)).toEqual(['some', 'ours', '10', '0'])
  expect(other?.split(/ *\| */).slice(1, -1)).toEqual(['some', 'other †', '25 (2.5×)', '0'])
})
