/** For tests of hooks: a server whose answers a test decides, over real sockets. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { cleanup, renderHook, waitFor } from '@testing-library/react'
import { EventSource as NodeEventSource } from 'eventsource'
import { afterEach, beforeEach, vi } from 'vitest'
import type { MessagesOnly, Parsers } from '@/client/events/event-parser'
import { useEventSource, type UseEventSourceOptions } from '@/hooks/use-event-source'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

type Props<P extends Parsers> = Omit<UseEventSourceOptions<P>, 'transport' | 'headers'>

interface Asked {
  url: string
  response: ServerResponse
  closed: Promise<void>
}

function emptyOrigin() {
  const server = createServer((request, response) => {
    const closed = new Promise<void>((resolve) => response.once('close', resolve))
    origin.requests.push({ url: request.url ?? '', response, closed })
    origin.answer(request, response)
  })
  const transport = undefined as 'fetch' | undefined
  return { server, url: '', transport, requests: new Array<Asked>(), answer: stream() }
}

/** The server, fresh for each test. A test may replace `answer`: how the server answers. */
export const origin = emptyOrigin()

/** Answers with a stream of `frames` that stays open. */
export function stream(...frames: string[]): Answer {
  return (_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.write(`: hello\n\n${frames.join('')}`)
  }
}

/** Starts the server for each test of a `describe`, and waits after each until every request is closed. */
export function installHookOrigin(transport?: 'fetch'): void {
  // jsdom has no EventSource; this one keeps to the standard.
  vi.stubGlobal('EventSource', NodeEventSource)

  beforeEach(async () => {
    Object.assign(origin, emptyOrigin(), { transport })
    const { server } = origin
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    origin.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`
  })

  afterEach(async () => {
    cleanup()
    await Promise.all(origin.requests.map(({ closed }) => closed))
    origin.server.closeAllConnections()
    await new Promise((resolve) => origin.server.close(resolve))
  })
}

/** A component under StrictMode that streams the server's URL of the moment, with the transport of the tests. */
export function renderStream<P extends Parsers = MessagesOnly>(options?: Props<P>) {
  return renderHook(
    (props: Props<P> | undefined) =>
      useEventSource<P>(origin.url, { ...props, transport: origin.transport }),
    { initialProps: options, reactStrictMode: true },
  )
}

export async function until(check: () => void): Promise<void> {
  await waitFor(check, { timeout: 4_000, interval: 5 })
}

/** The first event, as a frame. */
export const first = 'id: test.1\ndata: one\n\n'
/** What the server says when a stream is complete. */
export const end = 'event: end\ndata: {}\n\n'
