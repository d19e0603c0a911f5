/** The one server object of this app. */
import { byToken, createSse } from 'next-sse'
import { hasDemoAccounts } from './account/accounts'
import { mayRead } from './account/may-read'
import { topics } from './topics'

export const sse = createSse({
  topics,
  // Of a price, only the newest matters.
  keep: { 'price.*': { latest: true } },
  ...(hasDemoAccounts() && { authorize: { ...byToken, read: mayRead } }),
})
