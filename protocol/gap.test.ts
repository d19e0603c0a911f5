import { describe, expect, test } from 'vitest'
import { parseGap } from './gap'

const told = { reason: 'trimmed', from: 'abcd.1', oldest: 'abcd.9' }

describe('parseGap', () => {
  test('says of which topics events may be missing', () => {
    const gap = { ...told, topics: ['orders', 'stock'] }

    expect(parseGap(JSON.stringify({ ...gap, more: 1 }))).toEqual(gap)
  })

  test('of a server that names no topics, names none', () => {
    expect(parseGap(JSON.stringify(told))).toEqual({ ...told, topics: [] })
  })

  test.each(['orders', null, 1, [1], ['orders', {}]])('with %j for topics is no gap', (topics) => {
    expect(parseGap(JSON.stringify({ ...told, topics }))).toBeUndefined()
  })
})
