/** resumable-stream on `node:http` and the Redis of `REDIS_URL`, by the package that `REDIS_CLIENT` names: `redis` or `ioredis`. */
import { createServer, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import {
  createResumableStreamContext as byRedis,
  type ResumableStreamContext,
} from 'resumable-stream'
import { createResumableStreamContext as byIoredis } from 'resumable-stream/ioredis'
import { eventStream, port, readMetrics } from './peer'
import { createTokens, parseTokenRequest, type TokenRequest } from './tokens'

const url = process.env['REDIS_URL'] ?? ''
let asked: TokenRequest = { name: '', runs: 0, tokens: 0, everyMs: 0, holdMs: 0 }

async function main(): Promise<void> {
  const context = await openContext()
  createServer(async (request, response) => {
    if (request.url === '/metrics') {
      response.end(await readMetrics())
    } else if (request.method === 'POST') {
      asked = parseTokenRequest(await text(request))
      response.writeHead(201).end()
    } else {
      try {
        // The first request for a run makes it, and any other joins.
        await send(await context.resumableStream(request.url ?? '', makeStream), response)
      } catch {
        // It gives up joining after a second.
        response.writeHead(503).end()
      }
    }
  }).listen(port, '127.0.0.1')
}

async function openContext(): Promise<ResumableStreamContext> {
  if (process.env['REDIS_CLIENT'] === 'ioredis') {
    const [publisher, subscriber] = [new Redis(url), new Redis(url)]
    return byIoredis({ waitUntil: null, publisher, subscriber })
  }
  const [publisher, subscriber] = [createClient({ url }), createClient({ url })]
  await Promise.all([publisher.connect(), subscriber.connect()])
  return byRedis({ waitUntil: null, publisher, subscriber })
}

function makeStream(): ReadableStream<string> {
  const tokens = createTokens(asked)
  let number = 0
  return new ReadableStream({
    async pull(controller) {
      const next = await tokens.next()
      if (next.done) controller.close()
      else controller.enqueue(`id: ${++number}\ndata: ${JSON.stringify(next.value)}\n\n`)
    },
  })
}

async function send(
  stream: ReadableStream<string> | null,
  response: ServerResponse,
): Promise<void> {
  if (!stream) {
    response.writeHead(204).end()
    return
  }
  response.writeHead(200, eventStream)
  response.flushHeaders()
  const reader = stream.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    response.write(value)
  }
  response.end()
}

void main()
