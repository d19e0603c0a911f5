import { describe, expect, test } from 'vitest'
import { emptyAnswer, type Answer } from '@/server/answer'
import { allowedOrigin, preflightAnswer, withCors } from './cors'

const origins = ['https://a.example', 'http://localhost:3001']

function from(origin?: string): Request {
  const headers: Record<string, string> = origin === undefined ? {} : { Origin: origin }
  return new Request('http://localhost:3000/events/news', { headers })
}

function corsOf({ headers }: Answer): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter(([name]) => name === 'vary' || name.startsWith('access-control-')),
  )
}

describe('allowedOrigin', () => {
  test.each(origins)('is %s, which is on the list', (origin) => {
    expect(allowedOrigin(from(origin), origins)).toBe(origin)
  })

  test.each([
    undefined,
    '',
    'null',
    '*',
    'https://a.example.evil.example',
    'https://evil-a.example',
    'https://sub.a.example',
    'http://a.example',
    'https://a.example:8443',
    'https://A.example',
    'http://localhost:3000',
    'https://a.example,http://localhost:3001',
  ])('is not %j', (origin) => {
    expect(allowedOrigin(from(origin), origins)).toBeUndefined()
  })
})

describe('withCors', () => {
  test('lets a page of a listed origin read the answer and the headers it needs', () => {
    const answer = withCors(origins, from('https://a.example'), emptyAnswer(200))

    expect(corsOf(answer)).toEqual({
      'access-control-allow-credentials': 'true',
      'access-control-allow-origin': 'https://a.example',
      'access-control-expose-headers': 'Event-Reader, Idempotency-Replayed, Retry-After',
      vary: 'Origin',
    })
  })

  test.each(['https://evil.example', 'null', undefined])('adds only Vary for %s', (origin) => {
    expect(corsOf(withCors(origins, from(origin), emptyAnswer(200)))).toEqual({
      vary: 'Origin',
    })
  })

  test('without a list, adds no headers', () => {
    expect(corsOf(withCors([], from('https://a.example'), emptyAnswer(200)))).toEqual({})
  })
})

describe('preflightAnswer', () => {
  test('tells a listed origin what it may send, for two hours', () => {
    const asked = from('https://a.example')
    const answer = withCors(origins, asked, preflightAnswer(origins, asked, 'GET, POST'))

    expect(answer.status).toBe(204)
    expect(answer.headers['Allow']).toBe('GET, POST')
    expect(corsOf(answer)).toMatchObject({
      'access-control-allow-origin': 'https://a.example',
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'Authorization, Content-Type, Idempotency-Key, Last-Event-ID',
      'access-control-max-age': '7200',
    })
  })

  test.each(['https://evil.example', 'null', undefined])('tells %s only Allow', (origin) => {
    const asked = from(origin)
    const answer = withCors(origins, asked, preflightAnswer(origins, asked, 'GET, POST'))

    expect(answer.headers['Allow']).toBe('GET, POST')
    expect(corsOf(answer)).toEqual({ vary: 'Origin' })
  })
})
