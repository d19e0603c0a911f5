/** The one server object of this app. */
import { byToken, createSse } from 'next-sse'
import { hasDemoAccounts } from './account/accounts'
import { mayRead } from './account/may-read'

export const sse = createSse(
  hasDemoAccounts() ? { authorize: { read: mayRead, publish: byToken.publish } } : {},
)
