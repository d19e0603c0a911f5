import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { readToken, verifyToken } from './token'

const secret = 'the secret of these tests, of 32 bytes and more'
const bytes = new TextEncoder().encode(secret)
const now = Math.floor(Date.now() / 1_000)
const events = { subscribe: ['news'], publish: ['orders.*'] }

function sign(claims: Record<string, unknown>, key: Uint8Array = bytes, alg = 'HS256') {
  return new SignJWT(claims).setProtectedHeader({ alg }).sign(key)
}

describe('readToken', () => {
  const url = 'http://localhost/events/news'
  const cookie = 'theme=dark; events_token=of.the.cookie; other=1'

  test.each([
    ['Bearer of.the.header', 'of.the.header'],
    ['bearer   of.the.header', 'of.the.header'],
    ['Bearer two words', 'two words'],
    ['Bearer', ''],
    ['Basic dXNlcjpwYXNz', 'of.the.query'],
    ['Bearertoken', 'of.the.query'],
  ])('of Authorization: %s it is %j', (authorization, token) => {
    const headers = { authorization, cookie }

    expect(readToken(new Request(`${url}?access_token=of.the.query`, { headers }))).toBe(token)
  })

  test('for reading, the query comes after the header, and the cookie last', () => {
    const headers = { cookie }

    expect(readToken(new Request(`${url}?access_token=q`, { headers }))).toBe('q')
    expect(readToken(new Request(`${url}?access_token=q`, { headers, method: 'HEAD' }))).toBe('q')
    expect(readToken(new Request(`${url}?access_token=`, { headers }))).toBe('of.the.cookie')
    expect(readToken(new Request(url, { headers }))).toBe('of.the.cookie')
  })

  test('for publishing, the query is ignored', () => {
    const request = new Request(`${url}?access_token=q`, { method: 'POST' })

    expect(readToken(request)).toBeUndefined()
  })

  test.each([
    ['events_token=a', 'a'],
    ['x=1;events_token=a', 'a'],
    ['events_token=a; events_token=b', 'a'],
    ['my_events_token=a', undefined],
    ['events_token=', undefined],
    ['x=events_token=a', undefined],
    ['', undefined],
  ])('of the cookies %j it is %j', (cookies, token) => {
    expect(readToken(new Request(url, { headers: { cookie: cookies } }))).toBe(token)
  })
})

describe('verifyToken', () => {
  test('returns the subject, the grants and the expiry', async () => {
    const token = await sign({ sub: 'anna', exp: now + 60, nbf: now - 60, events })

    expect(await verifyToken(token, secret)).toEqual({
      subject: 'anna',
      ...events,
      expiresAtMs: (now + 60) * 1_000,
    })
  })

  test('a token without claims grants nothing, and never expires', async () => {
    const nothing = { subject: undefined, subscribe: [], publish: [], expiresAtMs: undefined }

    expect(await verifyToken(await sign({}), secret)).toEqual(nothing)
    expect(await verifyToken(await sign({ events: {} }), secret)).toEqual(nothing)
  })

  test.each([
    ['expired', { exp: now - 1 }],
    ['not valid yet', { nbf: now + 60 }],
    ['whose expiry is not a time', { exp: 'tomorrow' }],
    ['whose grants are text', { events: '*' }],
    ['whose grants are null', { events: null }],
    ['whose list is text', { events: { subscribe: '*' } }],
    ['whose list is an object', { events: { publish: { 0: '*', length: 1 } } }],
    ['whose pattern is no text', { events: { subscribe: [1] } }],
    ['whose pattern is none', { events: { subscribe: ['*.news'] } }],
  ])('a token %s is invalid', async (_, claims) => {
    expect(await verifyToken(await sign({ events, ...claims }), secret)).toBeUndefined()
  })

  test('a token signed with another secret is invalid', async () => {
    const other = new TextEncoder().encode(secret.toUpperCase())

    expect(await verifyToken(await sign({ events }, other), secret)).toBeUndefined()
  })

  test.each(['HS384', 'HS512'])('a token signed by %s is invalid', async (algorithm) => {
    const long = new TextEncoder().encode(secret.repeat(2))

    expect(
      await verifyToken(await sign({ events }, long, algorithm), secret.repeat(2)),
    ).toBeUndefined()
  })

  test('an unsigned token is invalid, whatever its header names as the algorithm', async () => {
    const unsigned = new UnsecuredJWT({ events }).encode()
    const [, claims] = unsigned.split('.')
    const headers = ['none', 'None', 'NONE', 'HS256', ''].map((alg) =>
      Buffer.from(JSON.stringify({ alg })).toString('base64url'),
    )

    for (const token of [unsigned, ...headers.map((header) => `${header}.${claims}.`)]) {
      expect(await verifyToken(token, secret)).toBeUndefined()
    }
  })

  test('a token signed with an RSA key, or with the text of its public key, is invalid', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
    const published = publicKey.export({ type: 'spki', format: 'pem' })
    const signed = await new SignJWT({ events })
      .setProtectedHeader({ alg: 'RS256' })
      .sign(privateKey)
    const confused = await sign({ events }, new TextEncoder().encode(String(published)))

    expect(await verifyToken(signed, secret)).toBeUndefined()
    expect(await verifyToken(confused, secret)).toBeUndefined()
  })

  test('a token with a part changed, cut off or added is invalid', async () => {
    const token = await sign({ events })
    const [header = '', claims = '', signature = ''] = token.split('.')
    const all = Buffer.from('{"events":{"publish":["*"]}}').toString('base64url')

    for (const forged of [
      `${header}.${all}.${signature}`,
      `${header}.${claims}`,
      `${header}.${claims}.${signature.slice(0, -2)}`,
      `${token}.x`,
      `${token}.${token}`,
      '',
      '..',
      token.toUpperCase(),
    ]) {
      expect(await verifyToken(forged, secret)).toBeUndefined()
    }
  })

  test('a token with a critical header is invalid', async () => {
    const token = new SignJWT({ events }).setProtectedHeader({
      alg: 'HS256',
      b64: true,
      crit: ['b64'],
    })
    const header = Buffer.from('{"alg":"HS256","crit":["x"],"x":1}').toString('base64url')
    const [, claims, signature] = (await token.sign(bytes)).split('.')

    expect(await verifyToken(`${header}.${claims}.${signature}`, secret)).toBeUndefined()
  })

  test('a claim with the name of a prototype property grants nothing', async () => {
    const claims = JSON.parse(
      '{"__proto__":{"events":{"publish":["*"]}},"constructor":{}}',
    ) as object
    const token = await sign({ ...claims, 'events ': events })

    expect(await verifyToken(token, secret)).toMatchObject({ subscribe: [], publish: [] })
    expect(({} as { events?: unknown }).events).toBeUndefined()
  })

  test('never throws, whatever the text', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc
            .tuple(fc.json(), fc.json(), fc.base64String())
            .map(([header, claims, signature]) =>
              [
                Buffer.from(header).toString('base64url'),
                Buffer.from(claims).toString('base64url'),
                signature,
              ].join('.'),
            ),
        ),
        async (token) => {
          expect(await verifyToken(token, secret)).toBeUndefined()
        },
      ),
    )
  })
})
