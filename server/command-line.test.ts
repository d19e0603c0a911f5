import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { verifyToken } from '@/server/access/tokens/token'
import { runCommand } from './command-line'

const secret = 'the secret of these tests, of 32 bytes and more'
const env = { EVENTS_JWT_SECRET: secret }

let printed: string[] = []

beforeEach(() => {
  printed = []
  vi.spyOn(console, 'log').mockImplementation((text: string) => void printed.push(text))
  vi.spyOn(console, 'error').mockImplementation((text: string) => void printed.push(text))
})

afterEach(() => {
  vi.restoreAllMocks()
})

describe('next-sse token', () => {
  test('prints a token with the requested grants', async () => {
    const args = ['token', '--subscribe', 'news,orders.*', '--publish', '*', '--expires', '2h']
    const before = Date.now()

    const code = await runCommand([...args, '--subject', 'ana'], env)

    expect(code).toBe(0)
    const token = await verifyToken(printed[0] ?? '', secret)
    expect(token).toMatchObject({
      subscribe: ['news', 'orders.*'],
      publish: ['*'],
      subject: 'ana',
    })
    const lifeMs = (token?.expiresAtMs ?? 0) - before
    expect(Math.round(lifeMs / 60_000)).toBe(120)
  })

  test('defaults to one hour and no subject', async () => {
    await runCommand(['token', '--subscribe', 'news'], env)

    const token = await verifyToken(printed[0] ?? '', secret)
    expect(token).toMatchObject({ subscribe: ['news'], publish: [], subject: undefined })
  })

  test.each([
    [['token', '--subscribe', 'news'], {}, 'EVENTS_JWT_SECRET'],
    [['token', '--subscribe', 'news'], { EVENTS_JWT_SECRET: 'short' }, 'at least 32 bytes'],
    [['token'], env, 'Name what the token is for'],
    [['token', '--subscribe', 'no topic'], env, '"no topic" is not a topic'],
    [['token', '--subscribe', 'a', '--expires', 'soon'], env, '--expires must be a duration'],
    [['token', '--nonsense'], env, '--nonsense'],
    [['mint'], env, 'Usage: next-sse token'],
  ])('%j with %j fails, and says why', async (args, variables, words) => {
    expect(await runCommand(args, variables)).toBe(1)
    expect(printed.join('\n')).toContain(words)
    expect(printed.join('\n')).not.toMatch(/^ey/)
  })

  test('without a command, prints the usage', async () => {
    expect(await runCommand([], {})).toBe(0)
    expect(printed[0]).toContain('Usage')
  })
})
