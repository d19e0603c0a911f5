// @vitest-environment jsdom
/** The client as a model: whatever happens to it, in whatever order. Real sockets are in use-event-source.test.tsx and e2e. */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createEventSourceClient, type EventSourceClient } from './event-source-client'
import { ModelSource, sources } from '@/test/doubles/model-source'

let isOnline = true

function newest(): ModelSource | undefined {
  return sources.open().at(-1)
}

/** Everything that can happen to a client, by name. `later` answers the question why a stream was refused. */
const happenings: Record<string, (client: EventSourceClient) => void> = {
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
    isOnline = false
    dispatchEvent(new Event('offline'))
  },
  online: () => {
    isOnline = true
    dispatchEvent(new Event('online'))
  },
  pagehide: () => dispatchEvent(new Event('pagehide')),
  pageshow: () => dispatchEvent(new Event('pageshow')),
  visible: () => document.dispatchEvent(new Event('visibilitychange')),
  'a moment': () => vi.advanceTimersByTime(50),
  'a second': () => vi.advanceTimersByTime(1_000),
  'a minute': () => vi.advanceTimersByTime(60_000),
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('EventSource', ModelSource)
  // What the question after a refusal learns: the server is busy. What else it may learn is in use-event-source.test.tsx.
  vi.stubGlobal('fetch', async () => {
    await new Promise((resolve) => setTimeout(resolve, 30))
    return new Response(null, { status: 503 })
  })
  vi.spyOn(navigator, 'onLine', 'get').mockImplementation(() => isOnline)
  isOnline = true
  sources.reset()
})

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

/** Time passes and events come more often than anything else happens. */
const happening = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom('open', 'a moment', 'a second', 'publish', 'repeat') },
  { weight: 3, arbitrary: fc.constantFrom(...Object.keys(happenings)) },
)

describe('createEventSourceClient', () => {
  test('whatever happens: one EventSource at most, closed stays closed, nothing twice, nothing lost', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(happening, { minLength: 30, maxLength: 80, size: 'max' }),
        async (plan) => {
          sources.reset()
          isOnline = true
          const client = createEventSourceClient({ url: 'http://localhost/events' })
          const delivered: number[] = []
          client.onEvent(({ data }) => delivered.push(Number(data.split(' ')[1])))

          for (const name of plan) {
            const before = client.getState().status
            happenings[name]?.(client)
            await vi.advanceTimersByTimeAsync(0)
            const { status } = client.getState()

            expect(sources.open().length).toBeLessThanOrEqual(1)
            const wasOver = before === 'closed' || before === 'failed'
            expect(wasOver && status !== before && name !== 'open' && name !== 'disable').toBe(
              false,
            )
            const isOver = status === 'closed' || status === 'failed' || status === 'idle'
            expect(isOver && sources.open().length > 0).toBe(false)
          }

          sources.isReachable = true
          isOnline = true
          client.open()
          dispatchEvent(new Event('online'))
          sources.publish()
          await vi.advanceTimersByTimeAsync(120_000)
          expect(delivered).toEqual(Array.from({ length: sources.log }, (_, index) => index + 1))

          client.close()
          const made = sources.all.length
          for (const name of [
            'online',
            'pageshow',
            'visible',
            'reconnect',
            'lose',
            'stale error',
          ]) {
            happenings[name]?.(client)
          }
          await vi.advanceTimersByTimeAsync(600_000)
          expect(sources.all).toHaveLength(made)
          expect(client.getState().status).toBe('closed')
          expect(vi.getTimerCount()).toBe(0)
        },
      ),
      { numRuns: 200 },
    )
  }, 60_000)

  test('a connection that was good for five seconds forgives what failed before it', async () => {
    const client = createEventSourceClient({ url: 'http://localhost/events' })
    client.open()
    await vi.advanceTimersByTimeAsync(100)
    newest()?.lose()
    await vi.advanceTimersByTimeAsync(2_000)
    newest()?.lose()
    expect(client.getState().attempt).toBe(2)
    await vi.advanceTimersByTimeAsync(4_000)

    await vi.advanceTimersByTimeAsync(5_000)
    newest()?.lose()

    expect(client.getState().attempt).toBe(1)
    client.close()
  })

  test.each(['close', 'disable', 'pagehide', 'ask', 'lose'])(
    'a good connection that ends by %s forgives what failed before it',
    async (end) => {
      const client = createEventSourceClient({ url: 'http://localhost/events', maxAttempts: 3 })
      client.open()
      await vi.advanceTimersByTimeAsync(100)
      newest()?.lose()
      await vi.advanceTimersByTimeAsync(2_000)
      newest()?.lose()
      await vi.advanceTimersByTimeAsync(4_000)
      expect(client.getState().status).toBe('open')

      await vi.advanceTimersByTimeAsync(10_000)
      happenings[end]?.(client)
      client.open()
      dispatchEvent(new Event('pageshow'))
      await vi.advanceTimersByTimeAsync(4_000)
      newest()?.lose()

      expect(client.getState().status).toBe('reconnecting')
      client.close()
    },
  )

  test('a server that drains is come back to within the time that it names, and nothing counts as failed', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    const client = createEventSourceClient({ url: 'http://localhost/events', maxAttempts: 1 })
    client.open()
    for (let n = 0; n < 5; n++) {
      await vi.advanceTimersByTimeAsync(100)
      expect(client.getState()).toMatchObject({ status: 'open', error: undefined })

      newest()?.ask(3_000, 'drain')

      const { status, attempt, error, retryAt = 0 } = client.getState()
      expect({ status, attempt, error }).toMatchObject({
        status: 'reconnecting',
        attempt: 0,
        error: { kind: 'asked' },
      })
      expect(retryAt - Date.now()).toBe(1_500)
      await vi.advanceTimersByTimeAsync(1_500)
    }
    client.close()
  })

  test('a server that drains before it says anything else is come back to as one that failed', async () => {
    const client = createEventSourceClient({ url: 'http://localhost/events' })
    client.open()
    await vi.advanceTimersByTimeAsync(5)
    const data = '{"retryMs":3000,"reason":"drain"}'

    newest()?.dispatchEvent(new Event('open'))
    newest()?.dispatchEvent(new MessageEvent('reconnect', { data, lastEventId: '' }))

    const { attempt, retryAt = 0 } = client.getState()
    expect(attempt).toBe(1)
    expect(retryAt - Date.now()).toBeGreaterThanOrEqual(3_000)
    client.close()
  })

  test('a stream that falls silent is taken up again; pings keep it', async () => {
    const client = createEventSourceClient({ url: 'http://localhost/events' })
    const errors: string[] = []
    client.onError(({ kind }) => errors.push(kind))
    client.open()
    await vi.advanceTimersByTimeAsync(100)
    for (let n = 0; n < 8; n++) {
      await vi.advanceTimersByTimeAsync(15_000)
      newest()?.ping()
    }
    expect(sources.all).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(100)
    expect(client.getState().lastSeenAt).toBe(Date.now() - 100)

    await vi.advanceTimersByTimeAsync(40_000)

    expect(errors).toEqual(['silent'])
    expect(client.getState().status).toBe('open')
    expect(sources.all).toHaveLength(2)
    client.close()
  })

  test('a timer that comes late is no proof of silence: what waits behind it is heard first', async () => {
    const client = createEventSourceClient({ url: 'http://localhost/events' })
    client.open()
    await vi.advanceTimersByTimeAsync(100)

    // The page sleeps for an hour: no timer runs, and what arrived waits.
    vi.setSystemTime(Date.now() + 3_600_000)
    await vi.advanceTimersByTimeAsync(37_500)
    newest()?.ping()
    await vi.advanceTimersByTimeAsync(10_000)

    expect(client.getState().status).toBe('open')
    expect(sources.all).toHaveLength(1)
    client.close()
  })

  test('no answer within the time for it is an attempt in vain', async () => {
    vi.stubGlobal(
      'EventSource',
      class extends EventTarget {
        close(): void {}
      },
    )
    const client = createEventSourceClient({ url: 'http://localhost/', connectTimeoutMs: 3_000 })
    client.open()

    await vi.advanceTimersByTimeAsync(3_000)

    expect(client.getState()).toMatchObject({
      status: 'reconnecting',
      error: { kind: 'unreachable' },
    })
    client.close()
  })

  test('the list is renewed in the next frame, some thirty times a second, and not at all while the page is hidden', async () => {
    const client = createEventSourceClient({ url: 'http://localhost/events' })
    client.open()
    await vi.advanceTimersByTimeAsync(100)
    const heard = vi.fn<() => void>()
    client.subscribe(heard)

    for (let n = 0; n < 500; n++) sources.publish()
    expect(heard).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(20)
    expect(heard).toHaveBeenCalledOnce()
    expect(client.getState().events).toHaveLength(500)

    for (let ms = 0; ms < 1_000; ms += 5) {
      sources.publish()
      await vi.advanceTimersByTimeAsync(5)
    }
    expect(heard.mock.calls.length).toBeGreaterThan(25)
    expect(heard.mock.calls.length).toBeLessThanOrEqual(34)
    await vi.advanceTimersByTimeAsync(50)
    heard.mockClear()

    // A browser gives a hidden page no frames.
    const frames = vi.spyOn(globalThis, 'requestAnimationFrame').mockReturnValue(1)
    for (let n = 0; n < 500; n++) sources.publish()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(heard).not.toHaveBeenCalled()
    frames.mockRestore()
    client.close()
    expect(client.getState().received).toBe(1_200)
  })

  test('an event that came before on the same connection is dropped, whatever its epoch; after a resync offsets may come again', async () => {
    const client = createEventSourceClient({ url: 'http://localhost/events' })
    const delivered: string[] = []
    client.onEvent(({ id }) => delivered.push(id))
    client.open()
    await vi.advanceTimersByTimeAsync(100)
    const tell = (...ids: string[]): void => {
      for (const lastEventId of ids) {
        newest()?.dispatchEvent(new MessageEvent('message', { data: '', lastEventId }))
      }
    }

    tell('aaaa.99', 'aaaa.100', 'aaaa.100', 'cccc.101', 'cccc.101', 'aaaa.100', 'cccc.150')
    const gap = '{"reason":"epoch","from":"cccc.150","oldest":null,"topics":[]}'
    newest()?.dispatchEvent(new MessageEvent('resync', { data: gap, lastEventId: 'bbbb.100' }))
    tell('bbbb.100', 'bbbb.101')

    expect(delivered).toEqual(['aaaa.99', 'aaaa.100', 'cccc.101', 'cccc.150', 'bbbb.101'])
    client.close()
  })

  test('an event of an earlier connection is never taken for repeated on the next', async () => {
    const client = createEventSourceClient({ url: 'http://localhost/events' })
    const delivered: string[] = []
    client.onEvent(({ id }) => delivered.push(id))
    client.open()
    await vi.advanceTimersByTimeAsync(100)
    newest()?.dispatchEvent(new MessageEvent('message', { data: '', lastEventId: 'aaaa.9' }))
    newest()?.lose()
    await vi.advanceTimersByTimeAsync(1_010)

    // Of a server that says nothing of its own.
    newest()?.dispatchEvent(new Event('open'))
    newest()?.dispatchEvent(new MessageEvent('message', { data: '', lastEventId: 'aaaa.9' }))

    expect(delivered).toEqual(['aaaa.9', 'aaaa.9'])
    client.close()
  })

  test.each(['open', 'error', 'message', 'connected', 'ping', 'reconnect', 'end'])(
    'a source that was closed and comes alive again closes itself when it speaks: %s',
    async (type) => {
      const client = createEventSourceClient({ url: 'http://localhost/events' })
      const delivered: string[] = []
      client.onEvent(({ data }) => delivered.push(data))
      client.open()
      await vi.advanceTimersByTimeAsync(100)
      dispatchEvent(new Event('pagehide'))
      dispatchEvent(new Event('pageshow'))
      await vi.advanceTimersByTimeAsync(100)
      const [stale, current] = sources.all
      if (!stale) throw new Error('There is no source.')

      // WebKit does this to one that was closed in `pagehide`, when the reader comes back.
      stale.readyState = 1
      const isOwn = type === 'open' || type === 'error'
      stale.dispatchEvent(isOwn ? new Event(type) : new MessageEvent(type, { data: '{}' }))

      expect(stale.readyState).toBe(2)
      expect(current?.readyState).toBe(1)
      expect(client.getState().status).toBe('open')
      expect(delivered).toEqual([])
      client.close()
    },
  )

  test('ids that are not of our grammar, or without order, are never taken for repeated', async () => {
    const client = createEventSourceClient({ url: 'http://localhost/events' })
    const delivered: string[] = []
    client.onEvent(({ data }) => delivered.push(data))
    client.open()
    await vi.advanceTimersByTimeAsync(5)
    const source = newest()

    for (const [index, lastEventId] of ['abcd.9', 'abcd.3', 'abcd.3', '', '7', '7'].entries()) {
      source?.dispatchEvent(new MessageEvent('message', { data: `${index}`, lastEventId }))
    }

    expect(delivered).toEqual(['0', '1', '2', '3', '4', '5'])
    client.close()
  })

  describe('while the browser says that it is offline', () => {
    test('a stream that was lost is asked for every 30 s, as the server may be on this machine', async () => {
      const client = createEventSourceClient({ url: 'http://localhost/events', maxAttempts: 2 })
      client.open()
      await vi.advanceTimersByTimeAsync(100)
      isOnline = false
      sources.isReachable = false

      newest()?.lose()
      for (let asked = 1; asked < 10; asked++) {
        expect(client.getState()).toMatchObject({ status: 'paused', readyState: 0 })
        expect(sources.all).toHaveLength(asked)
        await vi.advanceTimersByTimeAsync(29_900)
        expect(sources.all).toHaveLength(asked)
        // And the 20 ms in which no answer comes.
        await vi.advanceTimersByTimeAsync(120)
      }
      sources.isReachable = true
      await vi.advanceTimersByTimeAsync(30_020)

      expect(client.getState().status).toBe('open')
      expect(isOnline).toBe(false)
      client.close()
    })

    test('open() asks, and is heard where the server can be reached', async () => {
      isOnline = false
      const client = createEventSourceClient({ url: 'http://localhost/events' })

      client.open()
      await vi.advanceTimersByTimeAsync(100)

      expect(client.getState().status).toBe('open')
      client.close()
    })

    test.each(['online', 'pageshow', 'visible', 'reconnect'])(
      'is asked for at once when there is reason to: %s',
      async (reason) => {
        const client = createEventSourceClient({ url: 'http://localhost/events' })
        client.open()
        await vi.advanceTimersByTimeAsync(5)
        happenings['offline']?.(client)
        expect(client.getState().status).toBe('paused')

        happenings[reason]?.(client)
        await vi.advanceTimersByTimeAsync(100)

        expect(client.getState().status).toBe('open')
        client.close()
      },
    )

    test('a page that is away asks nothing', async () => {
      const client = createEventSourceClient({ url: 'http://localhost/events' })
      client.open()
      await vi.advanceTimersByTimeAsync(5)
      happenings['offline']?.(client)
      dispatchEvent(new Event('pagehide'))

      await vi.advanceTimersByTimeAsync(600_000)

      expect(client.getState().status).toBe('paused')
      expect(sources.all).toHaveLength(1)
      client.close()
    })
  })

  test('close leaves no timer, no EventSource and no listener, whatever the stream was doing', async () => {
    const listen = vi.spyOn(window, 'addEventListener')
    const client = createEventSourceClient({ url: 'http://localhost/events' })
    const doings = [
      'a moment',
      'a second',
      'lose',
      'refuse',
      'offline',
      'pagehide',
      'unreachable',
      'online',
    ]
    for (const doing of doings) {
      client.open()
      await vi.advanceTimersByTimeAsync(doing === 'a moment' ? 0 : 100)
      happenings[doing]?.(client)
      await vi.advanceTimersByTimeAsync(0)

      client.close()

      expect(client.getState().status).toBe('closed')
      expect(sources.open()).toEqual([])
    }
    await vi.advanceTimersByTimeAsync(20)
    expect(vi.getTimerCount()).toBe(0)
    expect(listen).toHaveBeenCalled()
    for (const [, , options] of listen.mock.calls) {
      expect(options).toMatchObject({ signal: { aborted: true } })
    }
  })
})
