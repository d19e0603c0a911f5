import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodePreloaded, parsePreloaded, type PreloadedTopics } from './preloaded'

const events = [
  { id: 'k3f9.7', topic: 'orders', type: 'order.paid', data: '{"amount":4200}', time: 1_000 },
  { id: 'k3f9.9', topic: 'stock', type: 'message', data: 'two\nlines', time: 2_000 },
]
const preloaded: PreloadedTopics = {
  topics: ['orders', 'stock'],
  path: '/events',
  time: 3_000,
  answer: { reader: '47DEQpj8HBSa-_TI', cursor: 'k3f9.9', events },
}

describe('what was preloaded', () => {
  test('is one text, and the same after it was read', () => {
    const text = encodePreloaded(preloaded)

    expect(typeof text).toBe('string')
    expect(parsePreloaded(text)).toEqual(preloaded)
  })

  test('may be a refusal', () => {
    const refused = {
      ...preloaded,
      answer: { status: 403, code: 'not-granted', detail: 'Not for you.' },
    }

    expect(parsePreloaded(encodePreloaded(refused))).toEqual(refused)
  })

  test('has the data of events as it is, so that a page does not escape it twice', () => {
    expect(encodePreloaded(preloaded).endsWith('\n{"amount":4200}two\nlines')).toBe(true)
  })

  test('keeps whatever text events have', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (texts) => {
        const some = texts.map((data, n) => ({
          id: `k3f9.${n}`,
          topic: 'stock',
          type: data,
          data,
          time: n,
        }))
        const all = { ...preloaded, answer: { reader: 'r', cursor: 'k3f9.1', events: some } }

        expect(parsePreloaded(encodePreloaded(all))).toEqual(all)
      }),
    )
  })

  test.each(['', '{}', 'null\n', '[]\n', 'no JSON\n', '{"version":2}\n', '{"version":1}'])(
    '%j is none',
    (text) => {
      expect(parsePreloaded(text)).toBeUndefined()
    },
  )
})
