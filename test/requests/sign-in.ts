/** Signs people in to a browser, by the cookie that docs/security.md recommends. */
import { randomUUID } from 'node:crypto'
import type { BrowserContext } from 'playwright/test'
import { signToken } from './publisher'

/** Signs `sub` in on the host of `url`, in place of the reader before. Each token of the same person is a different text. */
export async function signIn(
  context: Pick<BrowserContext, 'clearCookies' | 'addCookies'>,
  url: string,
  sub: string,
  ...subscribe: string[]
): Promise<void> {
  await context.clearCookies()
  const value = signToken({ sub, jti: randomUUID(), events: { subscribe } })
  const cookie = { name: 'events_token', value, domain: new URL(url).hostname, path: '/events' }
  await context.addCookies([{ ...cookie, httpOnly: true, sameSite: 'Lax' }])
}
