import { describe, expect, test } from 'vitest'
import { problem, problemResponse, type ProblemCode } from './problem'

describe('problem', () => {
  test.each<[ProblemCode, number]>([
    ['malformed-path', 400],
    ['invalid-type', 422],
    ['cross-site', 403],
    ['event-too-large', 413],
    ['unsupported-media-type', 415],
    ['unavailable', 503],
  ])('%s has the status %d, a title, and the detail given', (code, status) => {
    expect(problem(code, 'Mend it.')).toEqual({
      status,
      code,
      title: expect.stringMatching(/^[A-Z]/) as string,
      detail: 'Mend it.',
    })
  })
})

describe('problemResponse', () => {
  test('says the problem as problem+json that nothing keeps', async () => {
    const refusal = problem('invalid-topic', 'Name a topic.')

    const response = problemResponse(refusal)

    expect(response.status).toBe(400)
    expect(Object.fromEntries(response.headers)).toEqual({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
    })
    expect(await response.json()).toEqual(refusal)
  })

  test('carries the headers added', () => {
    const response = problemResponse(problem('busy', 'Try again.'), { 'Retry-After': '5' })

    expect(response.headers.get('retry-after')).toBe('5')
    expect(response.headers.get('content-type')).toBe('application/problem+json')
  })

  test.each<ProblemCode>(['event-too-large', 'body-too-large', 'too-many-events'])(
    '%s closes the connection: its body may still be arriving',
    (code) => {
      expect(problemResponse(problem(code, 'Send less.')).headers.get('connection')).toBe('close')
    },
  )
})
