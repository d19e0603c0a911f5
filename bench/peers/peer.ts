/** The common parts of the servers in this folder: reading a publish, the greetings, and the metrics. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { collectDefaultMetrics, register } from 'prom-client'

export const greetings = ['Hi there', 'How are you?', 'I am fine']
export const pauseMs = 2_000

export const eventStream = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-cache, no-transform',
}

export const port = Number(process.env['PORT'])

collectDefaultMetrics()

/** The metrics as Prometheus text, with the event loop's delay. */
export function readMetrics(): Promise<string> {
  return register.metrics()
}

/** The events of a body: its lines if it is NDJSON, otherwise the whole body. */
export function eventsOf(body: string, type: string | null | undefined): string[] {
  return type === 'application/x-ndjson' ? body.split('\n') : [body]
}

export async function readEvents(request: IncomingMessage): Promise<string[]> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) body += String(chunk)
  return eventsOf(body, request.headers['content-type'])
}

/** Answers `GET /metrics`, and a POST with 201. Returns true if the request was one of these. */
export async function answerCommon(
  request: IncomingMessage,
  response: ServerResponse,
  publish: (event: string) => void,
): Promise<boolean> {
  if (request.method === 'POST') {
    for (const event of await readEvents(request)) publish(event)
    response.writeHead(201).end()
    return true
  }
  if (request.url !== '/metrics') return false
  response.end(await readMetrics())
  return true
}
