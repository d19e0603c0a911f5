import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatCursor } from '@/protocol/cursor'
import { readPresentedCursor } from './presented-cursor'

function request(query: string, header?: string): Request {
  return new Request(`http://localhost/events${query}`, {
    headers: header === undefined ? {} : { 'Last-Event-ID': header },
  })
}

describe('readPresentedCursor', () => {
  test('reads any cursor from the header, and from the URL', () => {
    const epoch = fc.stringMatching(/^[a-z0-9]{4,16}$/)

    fc.assert(
      fc.property(epoch, fc.maxSafeNat(), (name, offset) => {
        const text = formatCursor({ epoch: name, offset })
        const cursor = { epoch: name, offset, text }

        expect(readPresentedCursor(request('', text))).toEqual(cursor)
        expect(readPresentedCursor(request(`?lastEventId=${text}`))).toEqual(cursor)
      }),
    )
  })

  test.each([
    ['?lastEventId=k3f9.1', 'k3f9.2', 'k3f9.2'],
    ['?lastEventId=malformed', 'k3f9.2', 'k3f9.2'],
    ['?lastEventId=k3f9.1', '', 'k3f9.1'],
  ])('of %s and the header %j, %s is presented', (query, header, text) => {
    expect(readPresentedCursor(request(query, header))).toMatchObject({ text })
  })

  test.each([
    ['', undefined],
    ['?lastEventId=', undefined],
    ['?lastEventId=', ''],
    ['?lasteventid=k3f9.1', undefined],
  ])('%j with the header %j presents none', (query, header) => {
    expect(readPresentedCursor(request(query, header))).toBeUndefined()
  })

  test.each([
    ['?lastEventId=hello', undefined],
    ['?lastEventId=k3f9.1', 'hello'],
    ['?lastEventId=k3f9.1%0A', undefined],
  ])('%s with the header %j is malformed', (query, header) => {
    expect(() => readPresentedCursor(request(query, header))).toThrow(
      expect.objectContaining({ status: 400, code: 'invalid-cursor' }),
    )
  })
})
