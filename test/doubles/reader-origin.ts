/** For tests of one browser with several users: a server that says who reads, over real sockets, and tabs that read from it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { EventSource as NodeEventSource } from 'eventsource'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import {
  createEventSourceClient,
  type EventSourceClient,
  type EventSourceClientOptions,
} from '@/client/event-source-client'
import { joinSharedStream } from '@/client/tabs/join-shared-stream'
import { Locks, TestWorker, workers } from './test-worker'

export const anna = 'annaannaannaanna'
export const bert = 'bertbertbertbert'

interface Asked {
  method: string
  url: string
  /** Who the browser was then. */
  reader: string | undefined
  response: ServerResponse
}

function emptyOrigin() {
  return {
    server: createServer(answer),
    url: '',
    asked: new Array<Asked>(),
    /** Who the browser's cookie says it is. */
    reader: anna as string | undefined,
    /** Whether the server looks at `?reader=`. */
    isChecking: true,
    /** What was published; every reader is granted all of it. */
    log: new Array<string>(),
    /** Answers HEAD in place of the server. */
    answerHead: undefined as ((response: ServerResponse) => void) | undefined,
    isAway: false,
  }
}

/** The server, and what it knows: fresh for each test. */
export const origin = emptyOrigin()

function frame(offset: number, of: string | undefined): string {
  return `id: abcd.${offset}\ndata: ${of ?? 'nobody'} ${origin.log[offset - 1]}\n\n`
}

export function publish(...texts: string[]): void {
  for (const text of texts) {
    origin.log.push(text)
    for (const { response, reader } of streams()) {
      response.write(frame(origin.log.length, reader))
    }
  }
}

export function streams(): Asked[] {
  return origin.asked.filter(
    ({ method, response }) => method === 'GET' && !response.writableEnded && !response.closed,
  )
}

export function paths(method = 'GET'): string[] {
  return origin.asked.filter((one) => one.method === method).map((one) => one.url)
}

export function answer(request: IncomingMessage, response: ServerResponse): void {
  const { method = '', url: path = '' } = request
  const { reader, log } = origin
  origin.asked.push({ method, url: path, reader, response })
  if (origin.isAway) {
    response.destroy()
    return
  }
  if (method === 'HEAD' && origin.answerHead) {
    origin.answerHead(response)
    return
  }
  const expected = new URL(path, origin.url).searchParams.get('reader')
  if (origin.isChecking && expected !== null && expected !== reader) {
    response.writeHead(409, { 'content-type': 'application/problem+json' })
    response.end('{"code":"reader-changed","detail":"Another reader."}')
    return
  }
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    ...(reader !== undefined && { 'event-reader': reader }),
  })
  if (method === 'HEAD') {
    response.end()
    return
  }
  const [, offset] = /lastEventId=abcd\.(\d+)/.exec(path) ?? []
  const from = Number(offset ?? 0)
  const told = { heartbeatMs: 15_000, time: Date.now(), reader }
  response.write(`event: connected\nid: abcd.${from}\ndata: ${JSON.stringify(told)}\n\n`)
  response.write(log.map((_, at) => (at < from ? '' : frame(at + 1, reader))).join(''))
}

export interface Tab {
  client: EventSourceClient
  /** All that it was told, in order. */
  heard: string[]
}

let tabs: Tab[] = []

export function openTab(options: Partial<EventSourceClientOptions> = {}): Tab {
  const client = createEventSourceClient({ url: origin.url, ...options })
  const heard: string[] = []
  client.onEvent(({ data }) => heard.push(data))
  client.onReaderChange(() => heard.push('another reader'))
  client.open()
  const tab = { client, heard }
  tabs.push(tab)
  return tab
}

export function openSharing(options: Partial<EventSourceClientOptions> = {}): Tab {
  return openTab({ ...options, join: joinSharedStream })
}

/** Starts the server for each test of a file, and checks after each that no stream is left. */
export function installReaderOrigin(): void {
  beforeEach(async () => {
    vi.stubGlobal('EventSource', NodeEventSource)
    vi.stubGlobal('SharedWorker', TestWorker)
    vi.stubGlobal('navigator', { onLine: true, locks: new Locks() })
    Object.assign(origin, emptyOrigin())
    const { server } = origin
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    origin.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`
  })

  afterEach(async () => {
    for (const { client } of tabs) client.disable()
    tabs = []
    await vi.waitUntil(() => [...workers.values()].every(({ isIdle }) => isIdle))
    await vi.waitUntil(() => streams().length === 0)
    workers.clear()
    vi.unstubAllGlobals()
    origin.server.closeAllConnections()
    await new Promise((resolve) => origin.server.close(resolve))
  })
}

export async function until(check: () => void): Promise<void> {
  await vi.waitFor(check, { timeout: 10_000, interval: 5 })
}

export async function untilHeard(tab: Tab, ...texts: string[]): Promise<void> {
  await until(() => expect(tab.heard).toEqual(texts))
}

export async function untilOpen(...these: Tab[]): Promise<void> {
  for (const { client } of these) {
    await until(() => expect(client.getState().status).toBe('open'))
  }
}

/** Until the server has taken these tabs for another reader's. */
export async function untilStrange(...these: Tab[]): Promise<void> {
  for (const { client } of these) {
    await until(() => {
      expect(client.getState()).toMatchObject({ status: 'failed', error: { kind: 'reader' } })
    })
  }
}

/** Breaks the connections, so that their readers come back. */
export function breakStreams(): void {
  for (const { response } of streams()) response.destroy()
}

/** For as long as anything would take that should not happen. */
export function wait(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 150))
}
