import { describe, expect, test } from 'vitest'
import type { Answer } from './answer'
import { answerOf, Refusal, type ProblemCode } from './refusal'

/** The text of an answer that is not a stream. */
function textOf(body: Answer['body']): string {
  return typeof body === 'string' ? body : ''
}

describe('a refusal', () => {
  test.each<[ProblemCode, number]>([
    ['malformed-path', 400],
    ['invalid-type', 422],
    ['cross-site', 403],
    ['event-too-large', 413],
    ['unsupported-media-type', 415],
    ['unavailable', 503],
  ])('%s has the status %d, a title, and the detail given', (code, status) => {
    expect(new Refusal(code, 'Mend it.')).toMatchObject({
      status,
      code,
      title: expect.stringMatching(/^[A-Z]/) as string,
      message: 'Mend it.',
    })
  })

  test('is recognised even when another bundle has created it', () => {
    const foreign = Object.assign(new Error('Mend it.'), { name: 'Refusal' })

    expect(foreign).toBeInstanceOf(Refusal)
    expect(new Error('Mend it.')).not.toBeInstanceOf(Refusal)
  })
})

describe('its answer', () => {
  test('is problem+json that is never cached', () => {
    const { status, headers, body } = answerOf(new Refusal('invalid-topic', 'Name a topic.'))

    expect(status).toBe(400)
    expect(headers).toEqual({
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
      'X-Content-Type-Options': 'nosniff',
    })
    expect(JSON.parse(textOf(body))).toEqual({
      status: 400,
      code: 'invalid-topic',
      title: 'Malformed topic',
      detail: 'Name a topic.',
    })
  })

  test('has the additional headers', () => {
    const { headers } = answerOf(new Refusal('busy', 'Try again.', { 'Retry-After': '5' }))

    expect(headers['Retry-After']).toBe('5')
    expect(headers['Content-Type']).toBe('application/problem+json')
  })

  test("describes an app's own problem", () => {
    const own = { status: 404, code: 'no-such-chat', title: 'No such chat' }

    const { status, body } = answerOf(new Refusal(own, 'It was deleted.'))

    expect(status).toBe(404)
    expect(JSON.parse(textOf(body))).toEqual({ ...own, detail: 'It was deleted.' })
  })

  test.each<ProblemCode>(['event-too-large', 'body-too-large', 'too-many-events'])(
    '%s closes the connection: its body may still be arriving',
    (code) => {
      expect(answerOf(new Refusal(code, 'Send less.')).headers['Connection']).toBe('close')
    },
  )
})
