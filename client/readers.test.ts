// @vitest-environment jsdom
/** One browser, several users: a server that says who reads, over real sockets. Chromium's own cookies are in e2e/access/accounts.e2e.ts. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { EventSource as NodeEventSource } from 'eventsource'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { anonymousReader } from '@/protocol/reader-key'
import {
  createEventSourceClient,
  type EventSourceClient,
  type EventSourceClientOptions,
} from './event-source-client'
import { joinSharedStream } from '@/client/tabs/join-shared-stream'
import { Locks, TestWorker, workers } from '@/test/doubles/test-worker'

const anna = 'annaannaannaanna'
const bert = 'bertbertbertbert'

interface Asked {
  method: string
  url: string
  /** Who the browser was then. */
  reader: string | undefined
  response: ServerResponse
}

let server: Server
let url = ''
let asked: Asked[] = []
/** Who the browser's cookie says it is. */
let reader: string | undefined
/** Whether the server looks at `?reader=`. */
let isChecking = true
/** How many events each reader has been granted. */
let log: string[] = []
/** Answers HEAD in place of the server. */
let answerHead: ((response: ServerResponse) => void) | undefined
let isAway = false

function frame(offset: number, of: string | undefined): string {
  return `id: abcd.${offset}\ndata: ${of ?? 'nobody'} ${log[offset - 1]}\n\n`
}

function publish(...texts: string[]): void {
  for (const text of texts) {
    log.push(text)
    for (const { response, ...of } of streams()) response.write(frame(log.length, of.reader))
  }
}

function streams(): Asked[] {
  return asked.filter(
    ({ method, response }) => method === 'GET' && !response.writableEnded && !response.closed,
  )
}

function paths(method = 'GET'): string[] {
  return asked.filter((one) => one.method === method).map((one) => one.url)
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { method = '', url: path = '' } = request
  asked.push({ method, url: path, reader, response })
  if (isAway) {
    response.destroy()
    return
  }
  if (method === 'HEAD' && answerHead) {
    answerHead(response)
    return
  }
  const expected = new URL(path, url).searchParams.get('reader')
  if (isChecking && expected !== null && expected !== reader) {
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

beforeEach(async () => {
  vi.stubGlobal('EventSource', NodeEventSource)
  vi.stubGlobal('SharedWorker', TestWorker)
  vi.stubGlobal('navigator', { onLine: true, locks: new Locks() })
  asked = []
  reader = anna
  isChecking = true
  log = []
  answerHead = undefined
  isAway = false
  server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`
})

interface Tab {
  client: EventSourceClient
  /** All that it was told, in order. */
  heard: string[]
}

let tabs: Tab[] = []

function openTab(options: Partial<EventSourceClientOptions> = {}): Tab {
  const client = createEventSourceClient({ url, ...options })
  const heard: string[] = []
  client.onEvent(({ data }) => heard.push(data))
  client.onReaderChange(() => heard.push('another reader'))
  client.open()
  const tab = { client, heard }
  tabs.push(tab)
  return tab
}

function openSharing(): Tab {
  return openTab({ join: joinSharedStream })
}

afterEach(async () => {
  for (const { client } of tabs) client.disable()
  tabs = []
  await vi.waitUntil(() => [...workers.values()].every(({ isIdle }) => isIdle))
  await vi.waitUntil(() => streams().length === 0)
  workers.clear()
  vi.unstubAllGlobals()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

async function until(check: () => void): Promise<void> {
  await vi.waitFor(check, { timeout: 10_000, interval: 5 })
}

async function untilHeard(tab: Tab, ...texts: string[]): Promise<void> {
  await until(() => expect(tab.heard).toEqual(texts))
}

async function untilOpen(...these: Tab[]): Promise<void> {
  for (const { client } of these) {
    await until(() => expect(client.getState().status).toBe('open'))
  }
}

async function untilStrange(...these: Tab[]): Promise<void> {
  for (const { client } of these) {
    await until(() => {
      expect(client.getState()).toMatchObject({ status: 'failed', error: { kind: 'reader' } })
    })
  }
}

/** Breaks the connections, so that they are asked for again. */
function breakStreams(): void {
  for (const { response } of streams()) response.destroy()
}

/** For as long as anything would take that should not happen. */
function wait(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 150))
}

for (const sharing of [false, true]) {
  const open = sharing ? openSharing : openTab

  describe(sharing ? 'a page that shares its stream' : 'a page with a stream of its own', () => {
    test('knows its reader, and presents it from then on', async () => {
      log = ['one']
      const page = open()
      await untilHeard(page, `${anna} one`)
      await until(() => expect(page.client.getState().reader).toBe(anna))

      breakStreams()
      await until(() => expect(paths()).toHaveLength(2))

      expect(paths()).toEqual(['/events', `/events?lastEventId=abcd.1&reader=${anna}`])
    })

    test('never shows what another user may read, who signed in meanwhile', async () => {
      log = ['one']
      const page = open()
      await untilHeard(page, `${anna} one`)

      reader = bert
      breakStreams()
      publish('two')
      await untilStrange(page)
      publish('three')
      await wait()

      expect(page.heard).toEqual([`${anna} one`, 'another reader'])
      // An EventSource hides why it was refused, so that it is asked for once more.
      expect(paths().slice(1)).toEqual(Array(2).fill(`/events?lastEventId=abcd.1&reader=${anna}`))
      expect(page.client.getState()).toMatchObject({ lastEventId: '', reader: undefined })
    })

    test('starts as the other user with an empty list, when it is told to', async () => {
      log = ['one']
      const page = open()
      await untilHeard(page, `${anna} one`)
      reader = bert
      breakStreams()
      await untilStrange(page)
      expect(page.client.getState().events).toHaveLength(1)

      page.client.open()

      expect(page.client.getState().events).toEqual([])
      await untilHeard(page, `${anna} one`, 'another reader', `${bert} one`)
      await until(() => expect(page.client.getState().reader).toBe(bert))
      await until(() => {
        expect(page.client.getState().events.map(({ data }) => data)).toEqual([`${bert} one`])
      })
      expect(paths().at(-1)).toBe('/events')
    })

    test('of nobody starts over by itself when somebody signs in', async () => {
      reader = anonymousReader
      log = ['one']
      const page = open()
      await untilHeard(page, `${anonymousReader} one`)

      reader = anna
      breakStreams()

      await untilHeard(page, `${anonymousReader} one`, 'another reader', `${anna} one`)
      await until(() =>
        expect(page.client.getState().events.map(({ data }) => data)).toEqual([`${anna} one`]),
      )
      expect(page.client.getState()).toMatchObject({ status: 'open', reader: anna, received: 1 })
      expect(paths().at(-1)).toBe('/events')
    })

    test('of somebody ends when they sign out', async () => {
      const page = open()
      await untilOpen(page)
      await until(() => expect(page.client.getState().reader).toBe(anna))

      reader = anonymousReader
      breakStreams()

      await untilStrange(page)
    })

    test('is not misled by a server that looks at no key, and tells another', async () => {
      isChecking = false
      log = ['one']
      const page = open()
      await untilHeard(page, `${anna} one`)

      reader = bert
      breakStreams()
      publish('two')

      await untilStrange(page)
      expect(page.heard).toEqual([`${anna} one`, 'another reader'])
    })

    test('presents no key to a server that tells none', async () => {
      reader = undefined
      const page = open()
      await untilOpen(page)

      breakStreams()
      await until(() => expect(asked).toHaveLength(2))

      expect(asked.every((one) => !one.url.includes('reader'))).toBe(true)
    })

    test('that presented no key takes no answer about one: it is refused, and asks no more', async () => {
      server.removeAllListeners('request')
      server.on('request', ({ method = '', url: path = '' }, response: ServerResponse) => {
        asked.push({ method, url: path, reader, response })
        response.writeHead(409, { 'content-type': 'application/problem+json' })
        response.end('{"code":"reader-changed"}')
      })
      const page = open()

      await until(() => {
        expect(page.client.getState()).toMatchObject({
          status: 'failed',
          error: { kind: 'refused', status: 409 },
        })
      })
      await wait()
      expect(asked).toHaveLength(2)
    })

    test('stopped by a listener that hears of the other reader, stays stopped', async () => {
      reader = anonymousReader
      const page = open()
      await until(() => expect(page.client.getState().reader).toBe(anonymousReader))
      page.client.onReaderChange(() => page.client.close())

      reader = anna
      breakStreams()
      await untilHeard(page, 'another reader')
      await wait()

      expect(page.client.getState().status).toBe('closed')
      expect(streams()).toEqual([])
    })

    test('goes on as the reader that it is told to begin with, and no other', async () => {
      const [mine, another] = [anna, bert].map((initialReader) =>
        openTab({ initialReader, ...(sharing && { join: joinSharedStream }) }),
      ) as [Tab, Tab]

      await untilStrange(another)
      await untilOpen(mine)
    })
  })
}

describe('a tab that comes to a stream which others read', () => {
  test('as the same reader shares it, once the server has said so, and gets nothing before', async () => {
    log = ['one']
    const first = openSharing()
    await untilHeard(first, `${anna} one`)
    let held: ServerResponse | undefined
    answerHead = (response) => (held = response)

    const late = openSharing()
    await until(() => expect(held).toBeDefined())
    publish('two')
    await untilHeard(first, `${anna} one`, `${anna} two`)
    await wait()
    expect(late.heard).toEqual([])
    expect(late.client.getState()).toMatchObject({ status: 'connecting', reader: undefined })
    held?.writeHead(200, { 'event-reader': anna }).end()

    await untilHeard(late, `${anna} one`, `${anna} two`)
    await until(() => expect(late.client.getState()).toMatchObject({ status: 'open', tabs: 2 }))
    expect(paths('HEAD')).toEqual(['/events'])
    expect(paths()).toEqual(['/events'])
  })

  test('as another reader gets a stream of its own, nothing of the first, and ends what was open for them', async () => {
    log = ['one']
    const these = [openSharing(), openSharing()] as [Tab, Tab]
    for (const tab of these) await untilHeard(tab, `${anna} one`)

    reader = bert
    const newcomer = openSharing()
    await untilStrange(...these)
    publish('two')

    await untilHeard(newcomer, `${bert} one`, `${bert} two`)
    for (const { heard } of these) expect(heard).toEqual([`${anna} one`, 'another reader'])
    expect(streams().map((stream) => stream.reader)).toEqual([bert])
    await until(() => expect(newcomer.client.getState()).toMatchObject({ tabs: 1, reader: bert }))
  })

  test('and cannot be told whose it is gets nothing, asks again by itself, and shares in the end', async () => {
    log = ['one']
    const first = openSharing()
    await untilHeard(first, `${anna} one`)

    answerHead = (response) => {
      isAway = true
      response.destroy()
    }
    const late = openSharing()
    await until(() => expect(late.client.getState().status).toBe('reconnecting'))
    await wait()
    expect(late.heard).toEqual([])
    expect(first.client.getState()).toMatchObject({ status: 'open', tabs: 1 })
    isAway = false
    answerHead = undefined

    await untilHeard(late, `${anna} one`)
    await until(() => expect(streams()).toHaveLength(1))
    publish('two')
    await untilHeard(first, `${anna} one`, `${anna} two`)
    await untilHeard(late, `${anna} one`, `${anna} two`)
    await until(() => expect(late.client.getState().tabs).toBe(2))
  })

  test('may not read any more: it is refused, and the others go on', async () => {
    log = ['one']
    const first = openSharing()
    await untilHeard(first, `${anna} one`)
    const before = answer
    server.removeAllListeners('request')
    server.on('request', (_, response: ServerResponse) => response.writeHead(401).end())

    const late = openSharing()
    await until(() => {
      expect(late.client.getState()).toMatchObject({ status: 'failed', error: { status: 401 } })
    })
    server.removeAllListeners('request')
    server.on('request', before)
    publish('two')

    expect(late.heard).toEqual([])
    await untilHeard(first, `${anna} one`, `${anna} two`)
  })

  test('of a server that tells no readers shares it, and asks nothing', async () => {
    reader = undefined
    log = ['one']
    const first = openSharing()
    await untilHeard(first, 'nobody one')

    const late = openSharing()

    await untilHeard(late, 'nobody one')
    expect(asked.map(({ method }) => method)).toEqual(['GET'])
  })

  test('and leaves while the server is asked leaves nothing behind', async () => {
    const first = openSharing()
    await untilOpen(first)
    let held: ServerResponse | undefined
    answerHead = (response) => (held = response)
    const late = openSharing()
    await until(() => expect(held).toBeDefined())

    late.client.close()
    await until(() => expect(held?.closed).toBe(true))
    publish('one')

    await untilHeard(first, `${anna} one`)
    await until(() => expect(first.client.getState().tabs).toBe(1))
    expect(late.heard).toEqual([])
  })

  test('comes while it is being opened: one stream, and one question', async () => {
    log = ['one']

    const these = [openSharing(), openSharing()] as [Tab, Tab]

    for (const tab of these) await untilHeard(tab, `${anna} one`)
    expect(paths()).toEqual(['/events'])
    expect(paths('HEAD')).toEqual(['/events'])
  })

  test('comes while the server is away: it waits with the others, and gets nothing until it is known', async () => {
    log = ['one']
    const first = openSharing()
    await untilHeard(first, `${anna} one`)
    isAway = true
    breakStreams()
    await until(() => expect(first.client.getState().retryAt).toBeDefined())

    const late = openSharing()
    await until(() => expect(late.client.getState().status).toBe('reconnecting'))
    expect(late.heard).toEqual([])
    reader = bert
    isAway = false
    first.client.reconnect()

    await untilStrange(first)
    await untilHeard(late, `${bert} one`)
    expect(first.heard).toEqual([`${anna} one`, 'another reader'])
  })

  test('was away meanwhile, and finds the stream of another reader: it does not go on', async () => {
    log = ['one']
    const away = openSharing()
    await untilHeard(away, `${anna} one`)
    await until(() => expect(away.client.getState().reader).toBe(anna))
    away.client.close()
    await until(() => expect(streams()).toEqual([]))
    reader = bert
    const other = openSharing()
    await untilHeard(other, `${bert} one`)

    away.client.open()
    await untilStrange(away)
    publish('two')

    await untilHeard(other, `${bert} one`, `${bert} two`)
    expect(away.heard).toEqual([`${anna} one`, 'another reader'])
    expect(streams()).toHaveLength(1)
  })
})
