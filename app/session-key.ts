/** Tells readers apart who use one browser, by the token that their requests carry. */
import { createHash } from 'node:crypto'
import { tokenCookie } from '@/access/token'

/** Another one for each token, which it does not tell; the same for all without one. */
export function sessionKeyOf(cookies: {
  get: (name: string) => { value: string } | undefined
}): string {
  const token = cookies.get(tokenCookie)?.value ?? ''
  return createHash('sha256').update(token).digest('base64url').slice(0, 16)
}
