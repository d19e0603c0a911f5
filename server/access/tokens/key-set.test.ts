/** Tokens signed with keys that a provider publishes at an address; here a server of the test's own. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { journal } from '@/server/observe/journal'
import { signToken } from '@/test/requests/publisher'
import { createTokenCheck, type CheckToken } from './checked-tokens'
import { createKeySet } from './key-set'

const secret = 'the secret of these tests, of 32 bytes and more'
const events = { subscribe: ['news'] }

interface Key {
  id: string
  privateKey: CryptoKey
  publicKey: CryptoKey
  jwk: JWK
}

async function createKey(id: string, algorithm = 'ES256'): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: id, alg: algorithm, use: 'sig' }
  return { id, privateKey, publicKey, jwk }
}

function sign({ id, privateKey, jwk }: Key, claims: object = {}): Promise<string> {
  return new SignJWT({ events, ...claims })
    .setProtectedHeader({ alg: jwk.alg ?? '', kid: id })
    .setSubject('ana')
    .sign(privateKey)
}

/** An address that publishes keys, and counts how often it is asked. */
async function publishKeys(...first: JWK[]): Promise<{
  keys: JWK[]
  status: number
  asked: number
  check: CheckToken
}> {
  const provider = { keys: first, status: 200, asked: 0 }
  const server = createServer((_, response) => {
    provider.asked++
    response.writeHead(provider.status, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify({ keys: provider.keys }))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const findKey = createKeySet(new URL(`http://127.0.0.1:${port}/jwks.json`))
  return Object.assign(provider, { check: createTokenCheck({ secret, findKey }) })
}

/** By how much the clocks are ahead. The key server answers in real time. */
let aheadMs = 0

function passMinutes(minutes: number): void {
  aheadMs += minutes * 60_000
  vi.setSystemTime(Date.now() + minutes * 60_000)
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const clock = performance.now.bind(performance)
  aheadMs = 0
  vi.spyOn(performance, 'now').mockImplementation(() => clock() + aheadMs)
  vi.spyOn(journal, 'error').mockImplementation(() => {})
})

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe('a token signed with a published key', () => {
  test.each(['ES256', 'RS256', 'PS384', 'EdDSA'])('by %s is valid', async (algorithm) => {
    const key = await createKey('one', algorithm)
    const { check } = await publishKeys(key.jwk)

    expect(await check(await sign(key))).toMatchObject({ subject: 'ana', subscribe: ['news'] })
  })

  test('is valid beside one that is signed with the secret', async () => {
    const key = await createKey('one')
    const provider = await publishKeys(key.jwk)

    expect(await provider.check(signToken({ events }, { secret }))).toMatchObject(events)
    expect(provider.asked).toBe(0)
    expect(await provider.check(await sign(key))).toMatchObject(events)
  })

  test('has the keys asked for once, however many tokens there are', async () => {
    const key = await createKey('one')
    const provider = await publishKeys(key.jwk)
    const tokens = await Promise.all([1, 2, 3].map((n) => sign(key, { n })))

    await Promise.all(tokens.map(provider.check))
    for (const token of tokens) await provider.check(token)

    expect(provider.asked).toBe(1)
  })

  test('is not valid when another key has signed it, or it has expired', async () => {
    const [key, other] = [await createKey('one'), await createKey('one')]
    const { check } = await publishKeys(key.jwk)

    expect(await check(await sign(other))).toBeUndefined()
    expect(
      await check(await sign(key, { exp: Math.floor(Date.now() / 1_000) - 1 })),
    ).toBeUndefined()
  })
})

describe('what is public is no secret', () => {
  test('a token signed by HS256 with the text of a public key is not valid', async () => {
    const key = await createKey('one', 'RS256')
    const { check } = await publishKeys(key.jwk)

    for (const text of [
      await exportSPKI(key.publicKey),
      JSON.stringify(key.jwk),
      key.jwk.n ?? '',
    ]) {
      expect(await check(signToken({ events }, { secret: text }))).toBeUndefined()
    }
  })

  test('a symmetric key among the published ones counts for nothing, and neither does `none`', async () => {
    const k = Buffer.from(secret.toUpperCase()).toString('base64url')
    const { check } = await publishKeys({ kty: 'oct', k, alg: 'HS512', kid: 'one' })
    const symmetric = new SignJWT({ events }).setProtectedHeader({ alg: 'HS512', kid: 'one' })

    expect(await check(await symmetric.sign(Buffer.from(secret.toUpperCase())))).toBeUndefined()
    expect(await check(signToken({ events }, { algorithm: 'none' }))).toBeUndefined()
  })
})

describe('keys that change', () => {
  test('a new key counts from its first token on, and a removed one after ten minutes at most', async () => {
    const [old, next] = [await createKey('old'), await createKey('next')]
    const provider = await publishKeys(old.jwk)
    const token = await sign(old)
    expect(await provider.check(token)).toBeDefined()
    passMinutes(2)
    provider.keys = [next.jwk]

    expect(await provider.check(await sign(next))).toBeDefined()
    expect(provider.asked).toBe(2)
    // It was checked before its key was removed.
    expect(await provider.check(token)).toBeDefined()
    expect(await provider.check(await sign(old, { again: 1 }))).toBeUndefined()

    passMinutes(11)
    expect(await provider.check(token)).toBeUndefined()
  })

  test('an unknown key is asked for at most once a minute', async () => {
    const [key, foreign] = [await createKey('one'), await createKey('foreign')]
    const provider = await publishKeys(key.jwk)
    await provider.check(await sign(key))

    for (let n = 0; n < 10; n++)
      expect(await provider.check(await sign(foreign, { n }))).toBeUndefined()
    expect(provider.asked).toBe(1)
    passMinutes(1.1)
    for (let n = 0; n < 10; n++)
      expect(await provider.check(await sign(foreign, { n }))).toBeUndefined()

    expect(provider.asked).toBe(2)
  })

  test('are read again after ten minutes, while those that are known go on counting', async () => {
    const key = await createKey('one')
    const provider = await publishKeys(key.jwk)
    await provider.check(await sign(key))
    provider.keys = []
    passMinutes(11)

    expect(await provider.check(await sign(key, { n: 1 }))).toBeDefined()
    await vi.waitFor(async () => {
      expect(await provider.check(await sign(key, { n: 2 }))).toBeUndefined()
    })

    expect(provider.asked).toBe(2)
  })
})

describe('a key server that is away', () => {
  test('has the token sent again, not refused; and is asked seldom', async () => {
    const key = await createKey('one')
    const provider = await publishKeys(key.jwk)
    provider.status = 500

    for (let n = 0; n < 10; n++) {
      await expect(provider.check(await sign(key, { n }))).rejects.toMatchObject({
        status: 503,
        headers: { 'Retry-After': '5' },
      })
    }

    expect(provider.asked).toBe(1)
    expect(journal.error).toHaveBeenCalledExactlyOnceWith(
      { err: expect.any(Error) as Error },
      'EVENTS_JWKS_URL can’t be read.',
    )
    provider.status = 200
    passMinutes(0.1)
    expect(await provider.check(await sign(key))).toBeDefined()
  })

  test('does not matter to tokens of known keys, however long', async () => {
    const [key, foreign] = [await createKey('one'), await createKey('foreign')]
    const provider = await publishKeys(key.jwk)
    await provider.check(await sign(key))
    provider.status = 503

    for (let n = 0; n < 5; n++) {
      passMinutes(60)
      expect(await provider.check(await sign(key, { n }))).toBeDefined()
      expect(await provider.check(await sign(foreign, { n }))).toBeUndefined()
    }

    expect(provider.asked).toBeLessThanOrEqual(11)
    expect(journal.error).toHaveBeenCalledOnce()
  })
})
