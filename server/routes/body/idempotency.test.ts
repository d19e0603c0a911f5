import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fingerprint, readIdempotencyKey } from './idempotency'
import type { PublishedBody } from './published-body'

function publish(key?: string): Request {
  return new Request('http://localhost/events/news', {
    method: 'POST',
    headers: key === undefined ? {} : { 'Idempotency-Key': key },
  })
}

describe('readIdempotencyKey', () => {
  test('accepts any visible ASCII unchanged', () => {
    const visible = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code))

    fc.assert(
      fc.property(fc.string({ unit: visible, minLength: 1, maxLength: 255 }), (key) => {
        expect(readIdempotencyKey(publish(key))).toBe(key)
      }),
    )
  })

  test('is undefined when there is none', () => {
    expect(readIdempotencyKey(publish())).toBeUndefined()
  })

  test.each(['', 'a b', 'a\tb', 'a\u007F', 'é', 'x'.repeat(256)])('refuses %j', (key) => {
    expect(() => readIdempotencyKey(publish(key))).toThrow(
      expect.objectContaining({ status: 400, code: 'invalid-idempotency-key' }),
    )
  })

  test('refuses two keys', () => {
    const request = publish('a')
    request.headers.append('Idempotency-Key', 'b')

    expect(() => readIdempotencyKey(request)).toThrow(
      expect.objectContaining({ code: 'invalid-idempotency-key' }),
    )
  })
})

describe('fingerprint', () => {
  const kind = fc.constantFrom<PublishedBody['kind'][]>('text', 'json', 'ndjson')
  const sent = fc.tuple(kind, fc.string(), fc.uint8Array())

  test('is 64 hexadecimal digits, the same for the same kind, type and bytes', () => {
    fc.assert(
      fc.property(sent, ([k, type, bytes]) => {
        const one = fingerprint({ kind: k, bytes, data: ['a'] }, type)
        const other = fingerprint({ kind: k, bytes: bytes.slice(), data: ['b'] }, type)

        expect(one).toMatch(/^[0-9a-f]{64}$/)
        expect(other).toBe(one)
      }),
    )
  })

  test('differs when any of them differs, even when their concatenation is equal', () => {
    const bytes = new TextEncoder().encode('x')
    const empty = new Uint8Array()

    const all = [
      fingerprint({ kind: 'text', bytes, data: [] }, 'message'),
      fingerprint({ kind: 'json', bytes, data: [] }, 'message'),
      fingerprint({ kind: 'text', bytes, data: [] }, 'other'),
      fingerprint({ kind: 'text', bytes: empty, data: [] }, 'messagex'),
      fingerprint({ kind: 'text', bytes: empty, data: [] }, 'message'),
    ]

    expect(new Set(all).size).toBe(all.length)
  })
})
