/** better-sse on `node:http`: a session for each reader, a channel for all of them, and its own settings. */
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createChannel, createSession } from 'better-sse'
import { answerCommon, greetings, pauseMs, port } from './peer'

const channel = createChannel()

createServer((request, response) => {
  void answerCommon(request, response, (event) => channel.broadcast(event)).then(
    async (answered) => {
      if (answered) return
      // The published data is already JSON.
      const session = await createSession(request, response, { serializer: String })
      if (request.url !== '/events') {
        channel.register(session)
        return
      }
      for (const [index, message] of greetings.entries()) {
        if (index > 0) await sleep(pauseMs)
        session.push(JSON.stringify({ message }))
      }
      response.end()
    },
  )
}).listen(port, '127.0.0.1')
