/** An origin between a page and the app, or instead of the app, whose streams fail as a test asks. */
import { once } from 'node:events'
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { clientFiles } from '../pages/client-page'

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

export interface StreamOrigin {
  url: string
  /** Every request for a stream: its path with the query, and its time. */
  requests: readonly { url: string; at: number }[]
  /** Answers streams from now on. Default: `pass`. */
  answer: Answer
  /** Forwards the request to the app. */
  pass: Answer
  /** Called for each forwarded stream: its connection is cut after this many bytes of the answer. Default: never. */
  bytesBeforeCut: () => number
  /** How many streams are open. */
  pending: () => number
  /** Sends nothing more over the present connections, but keeps them open. */
  swallow: () => void
  /** Breaks every connection and refuses new ones, until `listen`. */
  refuse: () => Promise<void>
  listen: () => Promise<void>
  close: () => Promise<void>
}

/** Serves `/client`, a blank page with a client in it. Other requests go to `app`. */
export async function startStreamOrigin(app?: string): Promise<StreamOrigin> {
  const files = await clientFiles()
  const requests: { url: string; at: number }[] = []
  const streams = new Set<ServerResponse>()
  let swallowing = new WeakSet<ServerResponse>()
  let port = 0

  const server = createServer((request, response) => {
    const path = request.url ?? ''
    if (path.split('?')[0] === '/client') {
      response.setHeader('Content-Type', 'text/html; charset=utf-8')
      // Chromium retries a broken request on a reused connection.
      response.setHeader('Connection', 'close')
      response.end(files.html)
    } else if (path === '/shared-stream-worker.ts') {
      response.setHeader('Content-Type', 'text/javascript')
      response.end(files.worker)
    } else if (request.method === 'GET' && path.startsWith('/events')) {
      requests.push({ url: path, at: Date.now() })
      streams.add(response)
      response.once('close', () => streams.delete(response))
      origin.answer(request, response)
    } else if (app === undefined) response.writeHead(404).end()
    else pass(request, response)
  })

  function pass(request: IncomingMessage, response: ServerResponse): void {
    let left = streams.has(response) ? origin.bytesBeforeCut() : Infinity
    const { url: path = '', method, headers } = request
    const asked = httpRequest(new URL(path, app), { method, headers, agent: false })
    asked.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      response.flushHeaders()
      answer.on('data', (chunk: Buffer) => {
        if (swallowing.has(response)) return
        if (chunk.length < left) {
          left -= chunk.length
          response.write(chunk)
          return
        }
        // Half-closing would complete the answer; this breaks it, once the bytes before the cut are sent.
        response.write(chunk.subarray(0, left), () => response.destroy())
        left = 0
        asked.destroy()
      })
      answer.on('end', () => swallowing.has(response) || response.end())
    })
    asked.on('error', () => {})
    asked.on('close', () => {
      if (!response.writableEnded && left > 0 && !swallowing.has(response)) response.destroy()
    })
    response.on('close', () => asked.destroy())
    request.pipe(asked)
  }

  const origin: StreamOrigin = {
    url: '',
    requests,
    answer: pass,
    pass,
    bytesBeforeCut: () => Infinity,
    pending: () => streams.size,
    swallow() {
      swallowing = new WeakSet(streams)
    },
    async refuse() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
    async listen() {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
      ;({ port } = server.address() as AddressInfo)
    },
    async close() {
      if (server.listening) await origin.refuse()
    },
  }
  await origin.listen()
  origin.url = `http://127.0.0.1:${port}`
  return origin
}

/** Answers with a stream of these frames, which stays open. */
export function streamOf(...frames: string[]): Answer {
  return (_, response) => {
    response.writeHead(200, streamHeaders)
    response.write(`: hello\n\n${frames.join('')}`)
  }
}

/** Answers with a complete response. */
export function answerWith(
  status: number,
  headers: Record<string, string> = {},
  body = '',
): Answer {
  return (_, response) => {
    response.writeHead(status, headers).end(body)
  }
}

/** Headers of a stream that pages of any origin may read. */
export const streamHeaders = {
  'Content-Type': 'text/event-stream',
  'Access-Control-Allow-Origin': '*',
}
