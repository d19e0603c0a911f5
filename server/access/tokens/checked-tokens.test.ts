import { afterEach, describe, expect, test, vi } from 'vitest'
import { signToken } from '@/test/requests/publisher'
import { createTokenCheck } from './checked-tokens'
import * as tokens from './token'

const secret = 'the secret of these tests, of 32 bytes and more'
const events = { subscribe: ['news'] }

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe('a valid token', () => {
  test('is not checked again, and has the same claims', async () => {
    const verify = vi.spyOn(tokens, 'verifyToken')
    const check = createTokenCheck({ secret })
    const token = signToken({ sub: 'ana', events }, { secret })

    const first = await check(token)

    expect(await check(token)).toEqual(first)
    expect(first).toMatchObject({ subject: 'ana', subscribe: ['news'] })
    expect(verify).toHaveBeenCalledTimes(1)
  })

  test('is not valid after it expires', async () => {
    const check = createTokenCheck({ secret })
    const now = Math.floor(Date.now() / 1_000)
    const token = signToken({ exp: now + 60, events }, { secret })
    expect(await check(token)).toBeDefined()

    vi.useFakeTimers({ now: (now + 60) * 1_000 })

    expect(await check(token)).toBeUndefined()
  })

  test('makes no other token valid, and is invalid with another secret', async () => {
    const check = createTokenCheck({ secret })
    const token = signToken({ events }, { secret })
    await check(token)

    expect(await check(`${token}x`)).toBeUndefined()
    expect(await createTokenCheck({ secret: secret.toUpperCase() })(token)).toBeUndefined()
  })
})

test('an invalid token is checked again, because it may become valid later', async () => {
  const check = createTokenCheck({ secret })
  const now = Math.floor(Date.now() / 1_000)
  const token = signToken({ nbf: now + 60, events }, { secret })
  expect(await check(token)).toBeUndefined()

  vi.useFakeTimers({ now: (now + 61) * 1_000 })

  expect(await check(token)).toMatchObject(events)
})
