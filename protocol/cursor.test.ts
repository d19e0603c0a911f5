import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatCursor, parseCursor } from './cursor'

describe('parseCursor', () => {
  test('reads back what formatCursor wrote', () => {
    const epoch = fc.stringMatching(/^[a-z0-9]{4,16}$/)

    fc.assert(
      fc.property(epoch, fc.maxSafeNat(), (name, offset) => {
        expect(parseCursor(formatCursor({ epoch: name, offset }))).toEqual({ epoch: name, offset })
      }),
    )
  })

  test.each([
    '',
    'hello',
    'hello.',
    '.1',
    'hel.1',
    'seventeenletters1.1',
    'Hello.1',
    'hello.01',
    'hello.-1',
    'hello.1.2',
    'hello.12345678901234567',
    ' hello.1',
    'hello.1\n',
    7,
    null,
    undefined,
  ])('%j is no cursor', (value) => {
    expect(parseCursor(value)).toBeUndefined()
  })
})
