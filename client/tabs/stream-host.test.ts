// @vitest-environment jsdom
/** Tabs and the workers that read for them, over real ports and sockets. Chromium's own workers are in e2e/client/tabs.e2e.ts. */
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { EventSource as NodeEventSource } from 'eventsource'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  createEventSourceClient,
  type EventSourceClient,
  type EventSourceClientOptions,
} from '@/client/event-source-client'
import { joinSharedStream } from './join-shared-stream'
import { Locks, TestWorker, workers } from '@/test/doubles/test-worker'

let server: Server
let url = ''
let requests: { url: string; response: ServerResponse }[] = []
/** What was published: frames, each with an id of our grammar unless `hasIds` is false. */
let log: string[] = []
let hasIds = true
/** Answers in place of the log. */
let answer: ((response: ServerResponse) => void) | undefined

function publish(...texts: string[]): void {
  for (const text of texts) {
    log.push(text)
    for (const { response } of requests) response.write(frame(log.length))
  }
}

function frame(offset: number): string {
  return `${hasIds ? `id: abcd.${offset}\n` : ''}data: ${log[offset - 1]}\n\n`
}

function open(): number {
  return requests.filter(({ response }) => !response.closed).length
}

beforeEach(async () => {
  vi.stubGlobal('EventSource', NodeEventSource)
  vi.stubGlobal('SharedWorker', TestWorker)
  vi.stubGlobal('navigator', { onLine: true, locks: new Locks() })
  requests = []
  log = []
  hasIds = true
  answer = undefined
  server = createServer((request, response) => {
    requests.push({ url: request.url ?? '', response })
    if (answer) {
      answer(response)
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const [, offset] = /lastEventId=abcd\.(\d+)/.exec(request.url ?? '') ?? []
    const from = offset === undefined ? log.length : Number(offset)
    const told = hasIds ? { heartbeatMs: 15_000, time: Date.now() } : {}
    response.write(
      `event: connected\n${hasIds ? `id: abcd.${from}\n` : ''}data: ${JSON.stringify(told)}\n\n`,
    )
    response.write(log.map((_, index) => (index < from ? '' : frame(index + 1))).join(''))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`
})

interface Tab {
  client: EventSourceClient
  /** All that `onEvent` and `onGap` were told. */
  heard: string[]
}

let tabs: Tab[] = []

function openTab(options: Partial<EventSourceClientOptions> = {}): Tab {
  const client = createEventSourceClient({
    url,
    join: joinSharedStream,
    ...options,
  })
  const heard: string[] = []
  client.onEvent(({ data }) => heard.push(data))
  client.onGap(({ reason }) => heard.push(reason))
  client.open()
  const tab = { client, heard }
  tabs.push(tab)
  return tab
}

function openTabs(count: number): Tab[] {
  return Array.from({ length: count }, () => openTab())
}

afterEach(async () => {
  for (const { client } of tabs) client.disable()
  tabs = []
  await vi.waitUntil(() => [...workers.values()].every(({ isIdle }) => isIdle))
  await vi.waitUntil(() => open() === 0)
  workers.clear()
  vi.unstubAllGlobals()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

async function untilOpen(...these: Tab[]): Promise<void> {
  await until(() => {
    expect(these.map(({ client }) => client.getState().status)).toEqual(these.map(() => 'open'))
  })
}

async function untilHeard(these: readonly Tab[], texts: readonly string[]): Promise<void> {
  await until(() => expect(these.map(({ heard }) => heard)).toEqual(these.map(() => texts)))
}

async function until(check: () => void): Promise<void> {
  await vi.waitFor(check, { timeout: 10_000, interval: 5 })
}

describe('tabs that share a stream', () => {
  test('make one request, and hear every event once, each parsed by its own parser', async () => {
    const shouting = openTab({ types: { message: (text) => text.toUpperCase() } })
    const quiet = openTabs(7)
    await untilOpen(shouting, ...quiet)

    publish('one', 'two')

    await untilHeard(quiet, ['one', 'two'])
    await untilHeard([shouting], ['ONE', 'TWO'])
    expect(requests).toHaveLength(1)
    await until(() => expect(shouting.client.getState().tabs).toBe(8))
    await until(() => {
      expect(shouting.client.getState()).toMatchObject({
        received: 2,
        lastEventId: 'abcd.2',
        events: [{ seq: 1 }, { seq: 2 }],
      })
    })
  })

  test('a late one begins with what the others have', async () => {
    const [first] = openTabs(1) as [Tab]
    await untilOpen(first)
    publish('one', 'two')
    await untilHeard([first], ['one', 'two'])

    const late = openTab()
    await untilHeard([late], ['one', 'two'])
    publish('three')

    await untilHeard([first, late], ['one', 'two', 'three'])
    expect(requests).toHaveLength(1)
  })

  test('one that closes leaves the others be, and the last one closes the stream', async () => {
    const [first, second] = openTabs(2) as [Tab, Tab]
    await untilOpen(first, second)

    first.client.close()
    publish('one')

    await untilHeard([second], ['one'])
    await until(() => expect(second.client.getState().tabs).toBe(1))
    expect(first.client.getState()).toMatchObject({ status: 'closed', tabs: undefined })
    expect(open()).toBe(1)
    second.client.close()
    await until(() => expect(open()).toBe(0))
    expect(first.heard).toEqual([])
  })

  test.each([true, false])(
    'one that was closed goes on where it was, without a request, be there ids (%s) or none',
    async (areThere) => {
      hasIds = areThere
      const [first, second] = openTabs(2) as [Tab, Tab]
      await untilOpen(first, second)
      publish('one')
      await untilHeard([first, second], ['one'])

      first.client.close()
      publish('two')
      await untilHeard([second], ['one', 'two'])
      first.client.open()
      await untilHeard([first], ['one', 'two'])
      publish('three')

      await untilHeard([first, second], ['one', 'two', 'three'])
      expect(requests).toHaveLength(1)
    },
  )

  test('one that was away for too long asks for what it missed, and joins the others again', async () => {
    const [first, second] = openTabs(2) as [Tab, Tab]
    await untilOpen(first, second)
    publish('before')
    await untilHeard([first, second], ['before'])
    first.client.close()
    const many = Array.from({ length: 1_500 }, (_, index) => `event ${index}`)
    publish(...many)
    await untilHeard([second], ['before', ...many])

    first.client.open()

    await untilHeard([first], ['before', ...many])
    expect(requests.map(({ url: path }) => path)).toEqual(['/events', '/events?lastEventId=abcd.1'])
    await until(() => expect(open()).toBe(1))
    await until(() => expect(first.client.getState().tabs).toBe(2))
    publish('after')
    await untilHeard([first, second], ['before', ...many, 'after'])
  })

  test('a gap is heard by all, before the same event, and not again by one that comes back', async () => {
    const [first, second] = openTabs(2) as [Tab, Tab]
    await untilOpen(first, second)
    publish('one')
    const gap = { reason: 'trimmed', from: 'abcd.1', oldest: 'abcd.3', topics: ['orders'] }
    requests[0]?.response.write(
      `event: resync\nid: abcd.2\ndata: ${JSON.stringify(gap)}\n\nid: abcd.3\ndata: three\n\n`,
    )

    await untilHeard([first, second], ['one', 'trimmed', 'three'])
    first.client.close()
    first.client.open()
    const late = openTab()

    await untilHeard([late], ['one', 'trimmed', 'three'])
    await untilOpen(first)
    expect(first.heard).toEqual(['one', 'trimmed', 'three'])
    expect(late.client.getState().gaps).toEqual([{ ...gap, beforeSeq: 2 }])
  })

  test('wait together for a connection that was lost, and one that asks at once asks for all', async () => {
    const [first, second] = openTabs(2) as [Tab, Tab]
    await untilOpen(first, second)
    publish('one')
    const onError = vi.fn<() => void>()
    second.client.onError(onError)
    const random = vi.spyOn(Math, 'random').mockReturnValue(1)

    requests[0]?.response.end()
    await until(() => expect(first.client.getState().retryAt).toBeDefined())
    await until(() => expect(second.client.getState().retryAt).toBeDefined())
    random.mockRestore()

    const { status, attempt, retryAt, error } = first.client.getState()
    expect({ status, attempt, error }).toMatchObject({
      status: 'reconnecting',
      attempt: 1,
      error: { kind: 'lost' },
    })
    expect(second.client.getState()).toMatchObject({ status, attempt, retryAt })
    expect(onError).toHaveBeenCalledOnce()
    second.client.reconnect()
    await untilOpen(first, second)
    publish('two')
    await untilHeard([first, second], ['one', 'two'])
    expect(requests).toHaveLength(2)
  })

  test('are refused together, after one question', async () => {
    answer = (response) => {
      response.writeHead(403, { 'content-type': 'application/problem+json' })
      response.end('{"code":"not-granted","detail":"Not yours."}')
    }

    const these = openTabs(3)

    await until(() => {
      for (const { client } of these) {
        expect(client.getState()).toMatchObject({
          status: 'failed',
          error: { status: 403, code: 'not-granted', message: 'Not yours.' },
        })
      }
    })
    expect(requests).toHaveLength(2)
    answer = undefined
    these[0]?.client.open()
    await untilOpen(...these.slice(0, 1))
  })

  test('end together', async () => {
    const these = openTabs(2)
    await untilOpen(...these)

    requests[0]?.response.write('id: abcd.1\ndata: last\n\nevent: end\ndata: {}\n\n')

    await until(() => {
      for (const { client, heard } of these) {
        expect(client.getState()).toMatchObject({ status: 'closed', closedBy: 'server' })
        expect(heard).toEqual(['last'])
      }
    })
    expect(requests).toHaveLength(1)
  })

  test('want the same stream: neither another URL nor other types is it', async () => {
    const kinds = [
      openTab(),
      openTab({ url: `${url}?other` }),
      openTab({ types: { greeting: String } } as object),
    ]

    await untilOpen(...kinds)

    expect(requests).toHaveLength(3)
    expect(kinds.map(({ client }) => client.getState().tabs)).toEqual([1, 1, 1])
  })
})

describe('a tab has a stream of its own', () => {
  test('where there is no SharedWorker', async () => {
    vi.stubGlobal('SharedWorker', undefined)
    Reflect.deleteProperty(globalThis, 'SharedWorker')

    const these = openTabs(2)

    await untilOpen(...these)
    expect(requests).toHaveLength(2)
    expect(these[0]?.client.getState().tabs).toBeUndefined()
  })

  test('where the worker cannot be loaded', async () => {
    vi.stubGlobal(
      'SharedWorker',
      class extends EventTarget {
        readonly port = new MessageChannel().port1
        constructor() {
          super()
          setTimeout(() => this.dispatchEvent(new Event('error')))
        }
      },
    )

    const these = openTabs(2)

    await untilOpen(...these)
    expect(requests).toHaveLength(2)
  })

  test('when the worker does not answer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    vi.stubGlobal(
      'SharedWorker',
      class extends EventTarget {
        readonly port = new MessageChannel().port1
      },
    )
    const [only] = openTabs(1) as [Tab]

    await vi.advanceTimersByTimeAsync(10_000)
    vi.useRealTimers()

    await untilOpen(only)
    expect(requests).toHaveLength(1)
  })

  test('where the URL is a function, which crosses no port', async () => {
    const address = url

    const only = openTab({ url: () => address })

    await untilOpen(only)
    expect(workers.size).toBe(0)
  })
})
