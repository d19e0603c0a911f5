/** Who reads is the user in the cookie `user`; topics of users are their own. A client with a token publishes. */
import { byToken, createSse } from 'next-sse'
import { waitAt } from './gates'

export const sse = createSse({
  authorize: {
    async read({ topics, request }) {
      await waitAt('asked')
      const [, user] = /\buser=(\w+)/.exec(request.headers.get('cookie') ?? '') ?? []
      const isTheirs = topics.every(
        (topic) => !topic.startsWith('user.') || topic === `user.${user}`,
      )
      return isTheirs && { subject: user }
    },
    publish: byToken.publish,
  },
})
