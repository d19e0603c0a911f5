import { unstable_doesMiddlewareMatch as doesMatch } from 'next/experimental/testing/server'
import { describe, expect, test } from 'vitest'
import { config, proxy } from './proxy'

describe('proxy', () => {
  test('answers with a problem', async () => {
    const response = proxy(new Request('http://localhost/events/%ff'))

    expect(response.status).toBe(400)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(await response.json()).toMatchObject({ code: 'malformed-path' })
  })
})

describe('the matcher', () => {
  test.each(['%ff', '%', 'a%00b', '..%2fx', 'a/b', 'a%20b', 'é', '%C3%A9', 'a%2C%ff', 'a%2'])(
    'takes /events/%s',
    (rest) => {
      expect(doesMatch({ config, url: `/events/${rest}` })).toBe(true)
    },
  )

  test.each([
    '/',
    '/events',
    '/events/news',
    '/events/news?since=%ff',
    '/events/news,alerts',
    '/events/a%2Cb',
    '/events/a%2cb',
    '/events/_-.,',
    `/events/${'x'.repeat(8_192)}`,
    '/topics/%ff',
  ])('leaves %.40s alone', (url) => {
    expect(doesMatch({ config, url })).toBe(false)
  })
})
