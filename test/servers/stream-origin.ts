/** An origin between a page and the app, or in the app's place, whose streams go wrong in the way a test asks for. */
import { once } from 'node:events'
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { clientPage } from '../pages/client-page'

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

export interface StreamOrigin {
  url: string
  /** Every request for a stream: its path with the query, and when it came. */
  requests: readonly { url: string; at: number }[]
  /** How streams are answered from now on. Default: by the app. */
  answer: Answer
  /** Passes a stream on to the app. */
  pass: Answer
  /** After as many bytes of the app's answer its connection is cut; asked for each one. Default: never. */
  bytesBeforeCut: () => number
  /** How many streams are being answered. */
  pending: () => number
  /** Nothing more comes over the present connections, and they stay open. */
  swallow: () => void
  /** Breaks every connection and refuses new ones, until `listen`. */
  refuse: () => Promise<void>
  listen: () => Promise<void>
  close: () => Promise<void>
}

/** Serves `/client`, a blank page with a client in it, and passes on to `app` what is no stream. */
export async function startStreamOrigin(app?: string): Promise<StreamOrigin> {
  const page = await clientPage()
  const requests: { url: string; at: number }[] = []
  const streams = new Set<ServerResponse>()
  let swallowing = new WeakSet<ServerResponse>()
  let port = 0

  const server = createServer((request, response) => {
    const path = request.url ?? ''
    if (path.split('?')[0] === '/client') {
      response.setHeader('Content-Type', 'text/html; charset=utf-8')
      // On a connection used before, Chromium repeats a request that broke, by itself.
      response.setHeader('Connection', 'close')
      response.end(page)
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

/** Answers with a whole response. */
export function answerWith(
  status: number,
  headers: Record<string, string> = {},
  body = '',
): Answer {
  return (_, response) => {
    response.writeHead(status, headers).end(body)
  }
}

/** For pages of any origin. */
export const streamHeaders = {
  'Content-Type': 'text/event-stream',
  'Access-Control-Allow-Origin': '*',
}
