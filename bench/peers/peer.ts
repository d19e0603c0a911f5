/** What the servers of this folder have in common: how they read what is published, greet, and tell their figures. */
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

/** What Prometheus would read: the event loop's delay among it. */
export function readMetrics(): Promise<string> {
  return register.metrics()
}

/** The events of a body: its lines when it is NDJSON, else the body. */
export function eventsOf(body: string, type: string | null | undefined): string[] {
  return type === 'application/x-ndjson' ? body.split('\n') : [body]
}

export async function readEvents(request: IncomingMessage): Promise<string[]> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) body += String(chunk)
  return eventsOf(body, request.headers['content-type'])
}

/** Answers `GET /metrics`, and a POST with 201; true when it was one of these. */
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
