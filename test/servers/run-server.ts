/**
 * A program: serves topics, and begins runs when it is told to, by `POST /start?topic=…&kind=…`. The environment is that of any server,
 * with PORT. A run of every kind yields the numbers from 1.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSse } from '@/server/sse/sse'
import type { RunSource } from '@/server/runs/local-run'

const sse = createSse()

const kinds: Record<string, RunSource> = {
  /** Ends by itself after half a second. */
  async *short({ signal }) {
    for (let n = 1; n <= 50; n++) {
      await sleep(10, undefined, { signal })
      yield { data: n }
    }
  },
  /** Ends when it is stopped, and says so first. */
  async *long({ signal }) {
    let n = 1
    try {
      for (; ; n++) {
        yield { data: n }
        await sleep(10, undefined, { signal })
      }
    } finally {
      yield { type: 'stored', data: n }
    }
  },
  async *failing({ signal }) {
    for (let n = 1; n <= 100; n++) {
      await sleep(10, undefined, { signal })
      yield { data: n }
    }
    throw new Error('as it was told')
  },
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '', 'http://localhost')
  if (url.pathname === '/start') {
    const source = kinds[url.searchParams.get('kind') ?? '']
    const topic = url.searchParams.get('topic') ?? ''
    if (!source) throw new Error('There is no such kind.')
    const { id } = await sse.run(topic, source)
    response.end(id)
    return
  }
  if (!url.pathname.startsWith('/events/')) {
    response.writeHead(404).end()
    return
  }
  const leaving = new AbortController()
  response.once('close', () => leaving.abort())
  const { method = 'GET' } = request
  const headers = request.headers as Record<string, string>
  const body = method === 'POST' ? { body: await text(request) } : {}
  const asked = new Request(url, { method, headers, signal: leaving.signal, ...body })
  const handler = method === 'POST' ? sse.topicRoute.POST : sse.topicRoute.GET
  const answered = await handler(asked)
  response.writeHead(answered.status, Object.fromEntries(answered.headers))
  if (!answered.body) response.end()
  else Readable.fromWeb(answered.body as Parameters<typeof Readable.fromWeb>[0]).pipe(response)
}

async function main(): Promise<void> {
  await sse.start()
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      console.error(error)
      response.destroy()
    })
  })
  server.listen(Number(process.env['PORT']), '127.0.0.1')
}

void main()
