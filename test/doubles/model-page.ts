/** For tests of a client in a page: everything that can happen to it, by name, with a model of EventSource and of a server. */
import { afterEach, beforeEach, vi } from 'vitest'
import type { EventSourceClient } from '@/client/event-source-client'
import { fetchModel, ModelSource, sources } from './model-source'

/** What the browser says of itself. */
export const page = { isOnline: true }

/** Lets the client read what has been sent. What an EventSource dispatches is heard at once, what `fetch` reads a little later. */
export async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0)
}

export function newest(): ModelSource | undefined {
  return sources.open().at(-1)
}

/** Everything that can happen to a client, by name. `later` answers the question why a stream was refused. */
export const happenings: Record<string, (client: EventSourceClient) => void> = {
  open: (client) => client.open(),
  close: (client) => client.close(),
  disable: (client) => client.disable(),
  reconnect: (client) => client.reconnect(),
  clear: (client) => client.clear(),
  publish: () => sources.publish(),
  repeat: () => newest()?.repeat(),
  ping: () => newest()?.ping(),
  ask: () => newest()?.ask(3_000),
  lose: () => newest()?.lose(),
  refuse: () => newest()?.refuse(),
  'stale error': () => sources.all.at(-2)?.dispatchEvent(new Event('error')),
  'stale event': () =>
    sources.all
      .at(-2)
      ?.dispatchEvent(new MessageEvent('message', { data: 'stale', lastEventId: 'epoch.1' })),
  unreachable: () => (sources.isReachable = false),
  reachable: () => (sources.isReachable = true),
  offline: () => {
    page.isOnline = false
    dispatchEvent(new Event('offline'))
  },
  online: () => {
    page.isOnline = true
    dispatchEvent(new Event('online'))
  },
  pagehide: () => dispatchEvent(new Event('pagehide')),
  pageshow: () => dispatchEvent(new Event('pageshow')),
  visible: () => document.dispatchEvent(new Event('visibilitychange')),
  'a moment': () => vi.advanceTimersByTime(50),
  'a second': () => vi.advanceTimersByTime(1_000),
  'a minute': () => vi.advanceTimersByTime(60_000),
}

/** Puts the model in the place of the browser's EventSource, or of `fetch`, with fake timers, for each test of a `describe`. */
export function installModelPage(transport?: 'fetch'): void {
  beforeEach(async () => {
    // Loaded before the timers are replaced, because loading takes real time.
    await import('@/client/connection/fetch-source')
    vi.useFakeTimers()
    vi.stubGlobal('EventSource', transport === 'fetch' ? undefined : ModelSource)
    // What the question after a refusal learns: the server is busy. What else it may learn is in hooks/use-event-source-failures.test.tsx.
    const refuse = async (): Promise<Response> => {
      await new Promise((resolve) => setTimeout(resolve, 30))
      return new Response(null, { status: 503 })
    }
    vi.stubGlobal('fetch', transport === 'fetch' ? fetchModel : refuse)
    vi.spyOn(navigator, 'onLine', 'get').mockImplementation(() => page.isOnline)
    page.isOnline = true
    sources.reset()
  })

  afterEach(() => {
    vi.useRealTimers()
    vi.restoreAllMocks()
    vi.unstubAllGlobals()
  })
}
