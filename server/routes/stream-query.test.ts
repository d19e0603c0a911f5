import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { readStreamQuery } from './stream-query'

function request(query: string, headers: Record<string, string> = {}): Request {
  return new Request(`http://localhost/events/news${query}`, { headers })
}

const now = 1_790_000_000_000

beforeEach(() => {
  vi.useFakeTimers({ now })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('readStreamQuery', () => {
  test.each([
    ['', undefined],
    ['?other=1', undefined],
    ['?last=0', { last: 0 }],
    ['?last=1000', { last: 1_000 }],
    ['?since=10m', { since: now - 600_000 }],
    ['?since=0s', { since: now }],
    ['?since=all', { since: 0 }],
    ['?lastEventId=&last=5', { last: 5 }],
  ])('%j starts at %o', (query, start) => {
    expect(readStreamQuery(request(query))).toEqual({ start, envelope: undefined })
  })

  test('reads any count up to 1,000', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1_000 }), (last) => {
        expect(readStreamQuery(request(`?last=${last}`))).toMatchObject({ start: { last } })
      }),
    )
  })

  test('refuses any higher count', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (more) => {
        expect(() => readStreamQuery(request(`?last=${1_001 + more}`))).toThrow(
          expect.objectContaining({ code: 'invalid-query' }),
        )
      }),
    )
  })

  test.each(['', '&last=5', '&since=10m', '&since=all'])('a cursor wins over %j', (query) => {
    const cursor = { epoch: 'k3f9', offset: 7, text: 'k3f9.7' }

    const inUrl = readStreamQuery(request(`?lastEventId=k3f9.7${query}`))
    const inHeader = readStreamQuery(request(`?${query}`, { 'Last-Event-ID': 'k3f9.7' }))

    expect(inUrl).toEqual({ start: { cursor }, envelope: undefined })
    expect(inHeader).toEqual(inUrl)
  })

  test.each([
    ['?envelope=1', true],
    ['?envelope=0', false],
    ['', undefined],
  ])('%j asks for envelopes: %j', (query, envelope) => {
    expect(readStreamQuery(request(query))).toEqual({ start: undefined, envelope })
  })

  test.each([
    '?last=',
    '?last=-1',
    '?last=1001',
    '?last=1.5',
    '?last=1e2',
    '?last=%2B5',
    '?last=5%0A',
    '?last=five',
    '?since=',
    '?since=10',
    '?since=ALL',
    '?since=-10m',
    '?since=10m%0A',
    `?since=${'9'.repeat(30)}d`,
    '?last=5&since=10m',
    '?last=5&since=all',
    '?last=five&lastEventId=k3f9.7',
    '?envelope=',
    '?envelope=true',
    '?envelope=2',
  ])('refuses %s', (query) => {
    expect(() => readStreamQuery(request(query))).toThrow(
      expect.objectContaining({ status: 400, code: 'invalid-query' }),
    )
  })

  test('refuses a malformed cursor as such', () => {
    expect(() => readStreamQuery(request('?lastEventId=hello&last=five'))).toThrow(
      expect.objectContaining({ code: 'invalid-cursor' }),
    )
  })
})
