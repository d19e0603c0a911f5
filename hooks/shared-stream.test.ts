// @vitest-environment jsdom
/** Tabs that share a stream as a model: whatever happens to them, in whatever order. */
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createEventSourceClient, type EventSourceClient } from './event-source-client'
import { joinSharedStream } from './join-shared-stream'
import { ModelSource, sources } from './model-source'
import { Locks, TestWorker, workers } from './test-worker'

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
  vi.stubGlobal('fetch', async () => new Response(null, { status: 503 }))
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

test('whatever happens, each tab hears every event once, and all end with one stream', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(happening, { minLength: 20, maxLength: 60, size: 'max' }),
      async (plan) => {
        sources.reset()
        workers.clear()
        const tabs = Array.from({ length: 3 }, () => {
          const client = createEventSourceClient({
            url: 'http://localhost/events',
            join: joinSharedStream,
          })
          const heard: number[] = []
          client.onEvent(({ data }) => heard.push(Number(data)))
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
