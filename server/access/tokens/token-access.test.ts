import { describe, expect, test } from 'vitest'
import { signToken } from '@/test/requests/publisher'
import { anonymousReader } from '@/protocol/reader-key'
import type { Refusal } from '@/server/refusal'
import { createTokenCheck } from './checked-tokens'
import { fromWeb } from '@/server/routes/web-request'
import type { AskedRequest } from '@/server/sse/sse-request'
import { grantRead, type Publisher } from '@/server/access/access'
import type { Grant } from '@/server/access/grant'
import { tokenAccess, type TokenRules } from './token-access'

const secret = 'the secret of these tests, of 32 bytes and more'
const now = Math.floor(Date.now() / 1_000)
const checkToken = createTokenCheck({ secret })
const guarded: TokenRules = { checkToken, publicTopics: ['public', 'open.*'], isOpen: false }
const noSecret: TokenRules = { checkToken: undefined, publicTopics: ['*'], isOpen: false }
const laptop: TokenRules = { ...noSecret, isOpen: true }

const granting = (claims: object): string => signToken({ events: claims }, { secret })

function asked(token?: string, method = 'GET'): AskedRequest {
  const headers: Record<string, string> =
    token === undefined ? {} : { authorization: `Bearer ${token}` }
  return fromWeb(new Request('http://localhost/events/news', { method, headers }))
}

/** Mints a token with these grants, or uses the text itself as the token. */
function tokenOf(given: string | object): string | undefined {
  if (given === 'no token') return undefined
  return typeof given === 'string' ? given : granting(given)
}

async function codeOf(decision: Promise<unknown>): Promise<string | undefined> {
  try {
    await decision
    return undefined
  } catch (error) {
    return (error as Refusal).code
  }
}

function authorizeRead(request: AskedRequest, topics: string[], rules: TokenRules): Promise<Grant> {
  return grantRead(tokenAccess(rules), request, topics)
}

function authorizePublish(
  request: AskedRequest,
  topic: string,
  rules: TokenRules,
): Promise<Publisher> {
  return tokenAccess(rules).publish(request, topic)
}

describe('reading by token', () => {
  test.each([
    ['public', 'no token', undefined],
    ['open.news', 'no token', undefined],
    ['public', 'nonsense', undefined],
    ['news', 'no token', 'token-required'],
    ['news', 'nonsense', 'invalid-token'],
    ['news', '', 'invalid-token'],
    ['news', { subscribe: ['news'] }, undefined],
    ['news,public', { subscribe: ['news'] }, undefined],
    ['news,public', 'no token', 'token-required'],
    ['news,alerts', { subscribe: ['news'] }, 'not-granted'],
    ['news,alerts', { subscribe: ['*'] }, undefined],
    ['orders.eu', { subscribe: ['orders.*'] }, undefined],
    ['orders', { subscribe: ['orders.*'] }, 'not-granted'],
    ['news', { publish: ['*'] }, 'not-granted'],
  ])('%s with %j: %s', async (topics, token, code) => {
    const request = asked(tokenOf(token))

    expect(await codeOf(authorizeRead(request, topics.split(','), guarded))).toBe(code)
  })

  test('lets read until the token expires, and public topics without an end', async () => {
    const token = signToken({ exp: now + 3_600, events: { subscribe: ['*'] } }, { secret })

    expect(await authorizeRead(asked(token), ['public', 'news'], guarded)).toMatchObject({
      expiresAtMs: (now + 3_600) * 1_000,
    })
    expect(await authorizeRead(asked(token), ['public'], guarded)).toMatchObject({
      expiresAtMs: undefined,
    })
  })

  test('names the reader when a token was needed, and is anonymous otherwise', async () => {
    const readerIn = async (topics: string[], sub: string): Promise<unknown> => {
      const token = signToken({ sub, events: { subscribe: ['*'] } }, { secret })
      const grant = await authorizeRead(asked(token), topics, guarded)
      return 'reader' in grant && grant.reader
    }

    expect(await readerIn(['public', 'news'], 'anna')).toBe(await readerIn(['news'], 'anna'))
    expect(await readerIn(['news'], 'bert')).not.toBe(await readerIn(['news'], 'anna'))
    expect(await readerIn(['public'], 'anna')).toBe(anonymousReader)
    expect(await readerIn(['public', 'open.news'], 'bert')).toBe(anonymousReader)
  })

  test('without a secret lets read public topics, and names the variables for the others', async () => {
    const some = { ...noSecret, publicTopics: ['public'] }

    expect(await codeOf(authorizeRead(asked(), ['anything'], noSecret))).toBeUndefined()
    const refused = (await authorizeRead(
      asked(granting({ subscribe: ['*'] })),
      ['news'],
      some,
    ).catch((error: unknown) => error)) as Refusal
    expect(refused).toMatchObject({ status: 403, code: 'secret-not-set' })
    expect(refused.message).toContain('news is not public')
    expect(refused.message).toContain('PUBLIC_TOPICS')
    expect(refused.message).toContain('EVENTS_JWT_SECRET')
  })
})

describe('publishing by token', () => {
  test.each([
    ['no token', 'token-required'],
    ['nonsense', 'invalid-token'],
    [{ subscribe: ['*'] }, 'not-granted'],
    [{ publish: ['alerts'] }, 'not-granted'],
    [{ publish: ['news'] }, undefined],
    [{ publish: ['*'] }, undefined],
  ])('with %j: %s', async (token, code) => {
    const request = asked(tokenOf(token), 'POST')

    expect(await codeOf(authorizePublish(request, 'news', guarded))).toBe(code)
  })

  test('with an expired or unsigned token: invalid-token', async () => {
    const events = { publish: ['*'] }
    const expired = signToken({ exp: now - 1, events }, { secret })
    const unsigned = signToken({ events }, { secret, algorithm: 'none' })

    for (const token of [expired, unsigned]) {
      expect(await codeOf(authorizePublish(asked(token, 'POST'), 'news', guarded))).toBe(
        'invalid-token',
      )
    }
  })

  test('a public topic still needs a token to publish to', async () => {
    expect(await codeOf(authorizePublish(asked(undefined, 'POST'), 'public', guarded))).toBe(
      'token-required',
    )
  })

  test('returns the subject of the token', async () => {
    const token = signToken({ sub: 'anna', events: { publish: ['*'] } }, { secret })

    expect(await authorizePublish(asked(token, 'POST'), 'news', guarded)).toEqual({
      subject: 'anna',
      isCounted: false,
    })
  })

  test('without a secret, anyone may publish when it is open, and no client otherwise', async () => {
    const token = granting({ publish: ['*'] })

    expect(await authorizePublish(asked(token, 'POST'), 'news', laptop)).toEqual({
      subject: undefined,
      isCounted: true,
    })
    const refused = (await authorizePublish(asked(token, 'POST'), 'news', noSecret).catch(
      (error: unknown) => error,
    )) as Refusal
    expect(refused).toMatchObject({
      status: 403,
      code: 'secret-not-set',
    })
    expect(refused.message).toContain('EVENTS_JWT_SECRET')
  })

  test('a refusal without a token says how to send one', async () => {
    await expect(authorizePublish(asked(undefined, 'POST'), 'news', guarded)).rejects.toMatchObject(
      {
        headers: { 'WWW-Authenticate': 'Bearer' },
      },
    )
    await expect(authorizePublish(asked('x', 'POST'), 'news', guarded)).rejects.toMatchObject({
      headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
    })
  })
})
