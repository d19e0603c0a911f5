// @vitest-environment jsdom
/** Tabs that share a stream as a model: whatever happens to them, in whatever order. */
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { anonymousReader } from '@/protocol/reader-key'
import { createEventSourceClient, type EventSourceClient } from '@/client/event-source-client'
import { joinSharedStream } from './join-shared-stream'
import { ModelSource, sources } from '@/test/doubles/model-source'
import { Locks, TestWorker, workers } from '@/test/doubles/test-worker'

const passTurn = setImmediate

const happenings: Record<string, (tab: EventSourceClient) => void> = {
  open: (tab) => tab.open(),
  close: (tab) => tab.close(),
  disable: (tab) => tab.disable(),
  reconnect: (tab) => tab.reconnect(),
  clear: (tab) => tab.clear(),
  publish: () => sources.publish(),
  'publish much': () => Array.from({ length: 30 }, () => sources.publish()),
  repeat: () => sources.open().at(-1)?.repeat(),
  ping: () => sources.open().at(-1)?.ping(),
  ask: () => sources.open()[0]?.ask(3_000),
  lose: () => sources.open()[0]?.lose(),
  refuse: () => sources.open().at(-1)?.refuse(),
  unreachable: () => (sources.isReachable = false),
  reachable: () => (sources.isReachable = true),
  'a moment': () => vi.advanceTimersByTime(50),
  'a second': () => vi.advanceTimersByTime(1_000),
  'half a minute': () => vi.advanceTimersByTime(30_000),
}

/** Time passes, and what is on its way between tabs and worker arrives. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left >= 0; left -= 500) {
    for (let turns = 0; turns < 4; turns++) await new Promise((resolve) => passTurn(resolve))
    await vi.advanceTimersByTimeAsync(Math.min(left, 500))
  }
}

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  })
  vi.stubGlobal('EventSource', ModelSource)
  vi.stubGlobal('SharedWorker', TestWorker)
  vi.stubGlobal('navigator', { onLine: true, locks: new Locks() })
  vi.stubGlobal('fetch', async (url: string, { method = 'GET' }: RequestInit = {}) => {
    if (!sources.isReachable) throw new TypeError('unreachable')
    const { reader } = sources
    if (method === 'HEAD') {
      return new Response(null, reader === undefined ? {} : { headers: { 'event-reader': reader } })
    }
    const expected = new URL(url).searchParams.get('reader')
    if (expected === null || expected === reader) return new Response(null, { status: 503 })
    const headers = { 'content-type': 'application/problem+json' }
    return new Response('{"code":"reader-changed"}', { status: 409, headers })
  })
  vi.stubGlobal('requestAnimationFrame', (look: FrameRequestCallback) =>
    setTimeout(() => look(performance.now()), 16),
  )
  vi.stubGlobal('cancelAnimationFrame', clearTimeout)
})

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const happening = fc.record({
  tab: fc.nat(2),
  name: fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom('open', 'a moment', 'a second', 'publish') },
    { weight: 3, arbitrary: fc.constantFrom(...Object.keys(happenings)) },
  ),
  isSettled: fc.boolean(),
})

/** How many events there are before the tabs are opened. */
const before = 5

test('whatever happens, each tab hears every event once that it did not begin with, and all end with one stream', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(happening, { minLength: 20, maxLength: 60, size: 'max' }),
      // How many events each tab begins with.
      fc.array(fc.nat(before), { minLength: 3, maxLength: 3 }),
      async (plan, begins) => {
        sources.reset()
        workers.clear()
        for (let n = 0; n < before; n++) sources.publish()
        const tabs = begins.map((begin) => {
          const client = createEventSourceClient({
            url: 'http://localhost/events',
            join: joinSharedStream,
            initialLastEventId: begin > 0 ? `epoch.${begin}` : '',
          })
          const heard = Array.from({ length: begin }, (_, index) => index + 1)
          client.onEvent(({ data }) => heard.push(Number(data.split(' ')[1])))
          return { client, heard }
        })

        try {
          for (const { tab, name, isSettled } of plan) {
            const client = tabs[tab]?.client
            if (client) happenings[name]?.(client)
            if (isSettled) await pass(0)
          }

          sources.isReachable = true
          for (const { client } of tabs) client.open()
          await pass(40_000)
          sources.publish()
          await pass(20_000)
          const all = Array.from({ length: sources.log }, (_, index) => index + 1)
          expect(tabs.map(({ heard }) => heard)).toEqual([all, all, all])
          expect(tabs.map(({ client }) => client.getState().tabs)).toEqual([3, 3, 3])
          expect(sources.open()).toHaveLength(1)
        } finally {
          for (const { client } of tabs) client.close()
          await pass(0)
          await pass(0)
        }
        expect(sources.open()).toEqual([])
        expect(vi.getTimerCount()).toBe(0)
      },
    ),
    { numRuns: 200 },
  )
}, 60_000)

const readers = [anonymousReader, 'annaannaannaanna', 'bertbertbertbert']

/** Who the browser is from now on; an event is granted to the reader who asked for the stream. */
function signIn(reader: string | undefined): void {
  sources.reader = reader
}

const happeningToReaders = fc.oneof(
  { weight: 4, arbitrary: happening },
  {
    weight: 1,
    arbitrary: fc.record({
      tab: fc.nat(2),
      name: fc.constantFrom(...readers),
      isSettled: fc.boolean(),
    }),
  },
)

test('however people sign in and out, no tab hears what was granted to a reader whom the browser was not since the tab opened, nor of two readers', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(happeningToReaders, { minLength: 20, maxLength: 60, size: 'max' }),
      async (plan) => {
        sources.reset()
        workers.clear()
        signIn(readers[1])
        const faults: string[] = []
        const tabs = Array.from({ length: 3 }, () => {
          const client = createEventSourceClient({
            url: 'http://localhost/events',
            join: joinSharedStream,
          })
          /** Whom it may hear of: who the browser was since it was opened. */
          const may = new Set<string | undefined>()
          client.onEvent(({ data }) => {
            const [of] = data.split(' ')
            if (!may.has(of)) faults.push(`It heard of ${of}.`)
          })
          client.subscribe(() => {
            const heard = new Set(client.getState().events.map(({ data }) => data.split(' ')[0]))
            if (heard.size > 1) faults.push(`It shows events of ${[...heard].join(' and ')}.`)
          })
          return { client, may }
        })
        const isOver = (client: EventSourceClient): boolean => client.getState().readyState === 2
        const openTab = ({ client, may }: (typeof tabs)[number]): void => {
          if (isOver(client)) may.clear()
          may.add(sources.reader)
          client.open()
        }

        try {
          for (const { tab: index, name, isSettled } of plan) {
            const tab = tabs[index]
            if (!tab) continue
            if (readers.includes(name)) {
              signIn(name)
              for (const { may } of tabs) may.add(name)
            } else if (name === 'open') openTab(tab)
            else happenings[name]?.(tab.client)
            if (isSettled) await pass(0)
          }

          sources.isReachable = true
          for (const tab of tabs) openTab(tab)
          await pass(60_000)
          // Those that another reader's page was open in have failed by now, and start over.
          for (const tab of tabs) openTab(tab)
          await pass(60_000)
          sources.publish()
          await pass(1_000)
          expect(faults).toEqual([])
          const states = tabs.map(({ client }) => client.getState())
          expect(states.map(({ status, tabs: count }) => [status, count])).toEqual(
            tabs.map(() => ['open', 3]),
          )
          const own = `${sources.reader} ${sources.log}`
          expect(states.map(({ events }) => events.at(-1)?.data)).toEqual([own, own, own])
          expect(sources.open().map(({ reader }) => reader)).toEqual([sources.reader])
        } finally {
          for (const { client } of tabs) client.close()
          await pass(0)
          await pass(0)
        }
        expect(sources.open()).toEqual([])
        expect(vi.getTimerCount()).toBe(0)
      },
    ),
    { numRuns: 200 },
  )
}, 120_000)
