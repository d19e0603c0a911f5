import { NextRequest } from 'next/server'
import { unstable_doesMiddlewareMatch as doesMatch } from 'next/experimental/testing/server'
import { describe, expect, test } from 'vitest'
import { config, proxy } from './proxy'

describe('proxy on a page', () => {
  test('names the nonce to Next and to the browser, another each time', () => {
    const [one, other] = [1, 2].map(() => proxy(new NextRequest('http://localhost/')))

    const policy = one?.headers.get('content-security-policy')
    expect(policy).toMatch(/script-src 'nonce-[\w+/]{22}==' 'strict-dynamic';/)
    expect(policy).not.toContain('unsafe')
    expect(one?.headers.get('x-middleware-request-content-security-policy')).toBe(policy)
    expect(other?.headers.get('content-security-policy')).not.toBe(policy)
  })
})

describe('the matcher', () => {
  test.each(['/', '/topics/news', '/topics/%ff', '/nothing', '/eventsource', '/metrics/x'])(
    'takes the page %s',
    (url) => {
      expect(doesMatch({ config, url })).toBe(true)
    },
  )

  test.each(['content-length', 'transfer-encoding'])('leaves a body alone, told by %s', (name) => {
    expect(doesMatch({ config, url: '/', headers: { [name]: '1' } })).toBe(false)
  })

  test.each([
    '/events',
    '/health/live',
    '/metrics',
    '/icon.svg',
    '/_next/static/chunks/x.js',
    '/events/news',
    '/events/news?since=%ff',
    '/events/news,alerts',
    '/events/a%2Cb',
    '/events/a%2cb',
    '/events/_-.,',
    `/events/${'x'.repeat(8_192)}`,
  ])('leaves %.40s alone', (url) => {
    expect(doesMatch({ config, url })).toBe(false)
  })
})
