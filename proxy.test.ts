import { NextRequest } from 'next/server'
import { unstable_doesMiddlewareMatch as doesMatch } from 'next/experimental/testing/server'
import { describe, expect, test } from 'vitest'
import { config, proxy } from './proxy'

describe('proxy', () => {
  test('answers a malformed path with a problem', async () => {
    const response = proxy(new NextRequest('http://localhost/events/%ff'))

    expect(response.status).toBe(400)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(await response.json()).toMatchObject({ code: 'malformed-path' })
  })
})

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
  test.each(['%ff', '%', 'a%00b', '..%2fx', 'a/b', 'a%20b', 'é', '%C3%A9', 'a%2C%ff', 'a%2'])(
    'takes /events/%s',
    (rest) => {
      expect(doesMatch({ config, url: `/events/${rest}` })).toBe(true)
    },
  )

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
