import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { anonymousReader, isReaderKey } from '@/protocol/reader-key'
import { readerOf } from './reader-of'
import type { Token } from '@/server/access/tokens/token'

function token(change: Partial<Token>): Token {
  return { subject: undefined, subscribe: [], publish: [], expiresAtMs: undefined, ...change }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16)
}

describe('readerOf', () => {
  test('is the same for all tokens of one subject, whatever their grants and expiry', () => {
    const anna = token({ subject: 'anna', subscribe: ['news'], expiresAtMs: 1 })
    const again = token({ subject: 'anna', subscribe: ['*'], publish: ['*'] })

    expect(readerOf(anna)).toBe(hashOf('anna'))
    expect(readerOf(again)).toBe(readerOf(anna))
    expect(readerOf(token({ subject: 'bert', subscribe: ['news'] }))).not.toBe(readerOf(anna))
  })

  test.each([undefined, ''])(
    'without a subject (%j), depends on the topics that the token may read, in any order',
    (subject) => {
      const some = token({ subject, subscribe: ['news', 'orders.*'] })
      const same = token({ subject, subscribe: ['orders.*', 'news', 'news'], publish: ['news'] })
      const other = token({ subject, subscribe: ['news'] })

      expect(readerOf(same)).toBe(readerOf(some))
      expect(readerOf(other)).not.toBe(readerOf(some))
      expect(readerOf(other)).not.toBe(readerOf(token({ subject: 'news' })))
      expect(readerOf(other)).not.toBe(anonymousReader)
    },
  )

  test('without a token, is the anonymous key, which is the hash of an empty text', () => {
    expect(readerOf(undefined)).toBe(anonymousReader)
    expect(anonymousReader).toBe(hashOf(''))
  })

  test('is a key of sixteen characters that needs no escaping', () => {
    for (const key of [readerOf(undefined), readerOf(token({ subject: 'ünï\ncode' }))]) {
      expect(isReaderKey(key)).toBe(true)
      expect(encodeURIComponent(key)).toBe(key)
    }
    for (const text of [
      '',
      'abc',
      `${anonymousReader}x`,
      '47DEQpj8HBSa+/TI',
      `${anonymousReader}\n`,
    ]) {
      expect(isReaderKey(text)).toBe(false)
    }
  })
})
