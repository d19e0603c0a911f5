import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mendUrl } from './mend-url'

describe('mendUrl', () => {
  test.each([
    ['/events/%ff', '/events/%25ff'],
    ['/events/%', '/events/%25'],
    ['/events/a%2C%ff?since=all', '/events/a%252C%25ff?since=all'],
    ['/events/a%2Cb', '/events/a%2Cb'],
    ['/events/news?name=%ff', '/events/news?name=%ff'],
    ['/', '/'],
  ])('makes of %s %s', (url, mended) => {
    expect(mendUrl(url)).toBe(mended)
  })

  test('makes any path one that can be decoded, to what the client wrote where that could not be', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z%0-9A-F/]*$/), (path) => {
        const mended = mendUrl(path)

        expect([mended, decodeURIComponent(mended)]).toContain(path)
      }),
    )
  })
})
