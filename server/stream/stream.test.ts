import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createForeignReader, habitsOf } from '@/test/readers/foreign-reader'
import { readAllEvents, readEvents } from '@/test/readers/read-events'
import { encodeEvent, type ServerSentEvent } from '@/protocol/event'
import type { Feed } from './feed'
import type { RecheckOptions } from './recheck'
import { journal } from '@/server/observe/journal'
import { metrics } from '@/server/observe/metrics'
import { feedFrom, openStreams, streamResponse } from '@/test/readers/stream-of'
import { headOf } from '@/server/answer'
import { toWeb } from '@/server/routes/web-request'
import { feedOf } from './feed-of'

/** The signal of a reader that does not leave. */
function staying(): AbortSignal {
  return new AbortController().signal
}

async function* events(...data: string[]): AsyncGenerator<ServerSentEvent> {
  for (const [index, text] of data.entries()) yield { id: `test.${index + 1}`, data: text }
}

/** A source that yields one event, and then waits until its stream ends. */
async function* oneThenSilence(closed: AbortSignal): AsyncGenerator<ServerSentEvent> {
  yield { id: 'test.1', data: 'first' }
  await new Promise((_, reject) => {
    closed.addEventListener('abort', () => reject(closed.reason as Error))
  })
}

async function countOpenStreams(): Promise<number | undefined> {
  const { values } = await metrics.openStreams.get()
  return values[0]?.value
}

beforeEach(() => {
  vi.spyOn(journal, 'error').mockImplementation(() => {})
})

afterEach(async () => {
  expect(await countOpenStreams()).toBe(0)
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe('a stream', () => {
  test('sends connected, the frames of the feed and end, and then closes', async () => {
    const feed = feedOf(events('one', 'two'), { cursor: 'test.0', resumed: true })

    const [connected, ...rest] = await readAllEvents(
      streamResponse(feed, { signal: staying(), heartbeatMs: 9_000 }),
    )

    expect(connected).toMatchObject({ event: 'connected', id: 'test.0' })
    expect(JSON.parse(connected?.data ?? '')).toEqual({
      cursor: 'test.0',
      resumed: true,
      heartbeatMs: 9_000,
      time: expect.any(Number) as number,
    })
    expect(rest).toEqual([
      { id: 'test.1', event: undefined, data: 'one' },
      { id: 'test.2', event: undefined, data: 'two' },
      { id: undefined, event: 'end', data: '{}' },
    ])
    expect(journal.error).not.toHaveBeenCalled()
  })

  test('answers with the headers of a stream', async () => {
    const response = streamResponse(feedOf(events()), { signal: staying() })

    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      connection: 'close',
      'last-modified': expect.stringMatching(/ GMT$/) as string,
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    })
    await response.body?.cancel()
  })

  test('jitters retry between one and two times retryMs', async () => {
    const text = await streamResponse(feedOf(events()), { signal: staying(), retryMs: 500 }).text()

    const retryMs = Number(/^retry: (\d+)$/m.exec(text)?.[1])
    expect(retryMs).toBeGreaterThanOrEqual(500)
    expect(retryMs).toBeLessThanOrEqual(1_000)
  })

  test('sends ping, with the cursor of the stream, after each heartbeat of silence', async () => {
    vi.useFakeTimers()
    const stream = readEvents(
      streamResponse(feedFrom(oneThenSilence), { signal: staying(), heartbeatMs: 15_000 }),
    )
    await stream.next()
    await stream.next()

    for (let n = 0; n < 3; n++) {
      const ping = stream.next()
      await vi.advanceTimersByTimeAsync(18_000)
      expect((await ping).value).toMatchObject({ event: 'ping', id: 'test.1' })
    }

    await stream.return(undefined)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('does not ping while events flow', async () => {
    vi.useFakeTimers()
    async function* everyTenSeconds(): AsyncGenerator<ServerSentEvent> {
      for (let n = 1; n <= 6; n++) {
        await new Promise((resolve) => setTimeout(resolve, 10_000))
        yield { data: `${n}` }
      }
    }
    const all = readAllEvents(streamResponse(feedOf(everyTenSeconds()), { signal: staying() }))

    await vi.advanceTimersByTimeAsync(60_000)

    expect((await all).map(({ data, event }) => event ?? data)).toEqual([
      'connected',
      '1',
      '2',
      '3',
      '4',
      '5',
      '6',
      'end',
    ])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('many streams share one timer, which ends with the last of them', async () => {
    vi.useFakeTimers()
    const { answer } = openStreams()
    const streams = Array.from({ length: 20 }, () =>
      readEvents(toWeb(answer(feedFrom(oneThenSilence), { signal: staying() }))),
    )
    await Promise.all(streams.map((stream) => stream.next()))

    expect(vi.getTimerCount()).toBe(1)

    await Promise.all(streams.map((stream) => stream.return(undefined)))
    expect(vi.getTimerCount()).toBe(0)
  })

  test('a feed that always has more yields to the event loop', async () => {
    const endless: Feed = {
      ...feedOf(events()),
      take: () => Buffer.from(`data: ${'x'.repeat(1_000)}\n\n`),
    }
    const body = streamResponse(endless, { signal: staying() }).body?.getReader()
    const othersTurn = vi.fn<() => void>()

    setTimeout(othersTurn, 1)
    let chunks = 0
    while (othersTurn.mock.calls.length === 0 && chunks++ < 100_000) await body?.read()

    expect(othersTurn).toHaveBeenCalledOnce()
    await body?.cancel()
  })

  test('a reader that leaves closes the feed', async () => {
    const feed = feedFrom(oneThenSilence)
    const close = vi.spyOn(feed, 'close')
    const stream = readEvents(streamResponse(feed, { signal: staying() }))
    await stream.next()

    await stream.return(undefined)

    expect(close).toHaveBeenCalledOnce()
    expect(journal.error).not.toHaveBeenCalled()
  })

  test('an abort while the feed waits closes it, and the response', async () => {
    const reader = new AbortController()
    const stream = readEvents(streamResponse(feedFrom(oneThenSilence), { signal: reader.signal }))
    await stream.next()
    await stream.next()
    const rest = stream.next()

    reader.abort()

    expect(await rest).toEqual({ done: true, value: undefined })
    expect(journal.error).not.toHaveBeenCalled()
  })

  test('a reader that left before the response was created closes the feed at once', async () => {
    const feed = feedOf(events('one'))
    const close = vi.spyOn(feed, 'close')

    const response = streamResponse(feed, { signal: AbortSignal.abort() })

    expect(close).toHaveBeenCalledOnce()
    expect(await response.text()).toBe('')
  })

  test('a response that is never read starts nothing', async () => {
    vi.useFakeTimers()
    const begun = vi.fn<() => void>()
    async function* source(): AsyncGenerator<ServerSentEvent> {
      begun()
      yield { data: 'one' }
    }

    const response = streamResponse(feedOf(source()), { signal: staying() })

    expect(vi.getTimerCount()).toBe(0)
    expect(begun).not.toHaveBeenCalled()
    expect(await countOpenStreams()).toBe(0)
    await response.body?.cancel()
  })

  test('a source that throws ends the stream without end, and is logged once with its cause', async () => {
    const cause = new Error('the database is gone')
    async function* broken(): AsyncGenerator<ServerSentEvent> {
      yield { data: 'one' }
      throw cause
    }

    const received = await readAllEvents(streamResponse(feedOf(broken()), { signal: staying() }))

    expect(received.map(({ event, data }) => event ?? data)).toEqual(['connected', 'one'])
    expect(journal.error).toHaveBeenCalledExactlyOnceWith({ err: cause }, expect.any(String))
  })

  test('a feed that fails to close is logged, and nothing else happens', async () => {
    const cause = new Error('close failed')
    const feed: Feed = { ...feedOf(events('one')), close: () => Promise.reject(cause) }

    const received = await readAllEvents(streamResponse(feed, { signal: staying() }))

    expect(received).toHaveLength(3)
    expect(journal.error).toHaveBeenCalledExactlyOnceWith({ err: cause }, expect.any(String))
  })
})

describe('a stream is asked to come back', () => {
  async function* onceASecond(): AsyncGenerator<ServerSentEvent> {
    for (let n = 1; ; n++) {
      await new Promise((resolve) => setTimeout(resolve, 1_000))
      yield { data: `${n}` }
    }
  }

  function reasonIn({ data = '' }: Partial<ServerSentEvent> = {}): unknown {
    return (JSON.parse(data) as { reason: unknown }).reason
  }

  test('when the process has its maximum of streams: without connected, and a later one may open', async () => {
    const { answer } = openStreams({ maxStreams: 1, retryMs: 500 })
    const open = (feed: Feed): Response => toWeb(answer(feed, { signal: staying() }))
    const first = readEvents(open(feedFrom(oneThenSilence)))
    await first.next()
    const feed = feedOf(events('one'))
    const close = vi.spyOn(feed, 'close')

    const refused = await readAllEvents(open(feed))
    await first.return(undefined)
    const admitted = await readAllEvents(open(feedOf(events('one'))))

    expect(refused.map(({ event }) => event)).toEqual(['reconnect'])
    expect(reasonIn(refused[0])).toBe('too-many-streams')
    expect(close).toHaveBeenCalledOnce()
    expect(admitted.map(({ event }) => event)).toEqual(['connected', undefined, 'end'])
  })

  test('after 0.8 to 1 times the maximum age of a stream', async () => {
    vi.useFakeTimers()
    const startedAt = Date.now()
    const reading = readAllEvents(
      streamResponse(feedOf(onceASecond()), {
        signal: staying(),
        maxAgeMs: 60_000,
        heartbeatMs: 1_000,
      }),
    )

    await vi.advanceTimersByTimeAsync(61_000)

    const received = await reading
    expect(reasonIn(received.at(-1))).toBe('max-age')
    const delivered = received.filter(({ event }) => event === undefined).length
    expect(delivered).toBeGreaterThanOrEqual(46)
    expect(delivered).toBeLessThanOrEqual(60)
    expect(Date.now() - startedAt).toBe(61_000)
    expect(vi.getTimerCount()).toBeLessThanOrEqual(1)
  })

  test('when its right to read ends: later events are not sent, even when they are ready', async () => {
    vi.useFakeTimers()
    const expiresAt = Date.now() + 3_500
    const reading = readAllEvents(
      streamResponse(feedOf(onceASecond()), { signal: staying(), expiresAt }),
    )

    await vi.advanceTimersByTimeAsync(10_000)

    const received = await reading
    expect(received.map(({ event, data }) => event ?? data)).toEqual([
      'connected',
      '1',
      '2',
      '3',
      'reconnect',
    ])
    expect(reasonIn(received.at(-1))).toBe('expired')
  })
})

describe('a stream whose right must be confirmed', () => {
  async function* onceASecond(): AsyncGenerator<ServerSentEvent> {
    for (let second = 1; ; second++) {
      await new Promise((resolve) => {
        setTimeout(resolve, 1_000)
      })
      yield { data: String(second) }
    }
  }

  /** The data of the events of a stream, and last of all why it ended. */
  async function readTold(
    recheck: RecheckOptions,
    forMs: number,
    source: Feed = feedOf(onceASecond()),
  ): Promise<{ told: string[]; left: () => Promise<void> }> {
    const told: string[] = []
    const leaving = new AbortController()
    const response = streamResponse(source, { signal: leaving.signal, recheck })
    const reading = (async () => {
      for await (const { event, data } of readEvents(response)) {
        if (event === undefined) told.push(data)
        if (event === 'reconnect') told.push((JSON.parse(data) as { reason: string }).reason)
      }
    })()
    await vi.advanceTimersByTimeAsync(forMs)
    return {
      told,
      async left() {
        leaving.abort()
        await vi.advanceTimersByTimeAsync(20_000)
        await reading
      },
    }
  }

  beforeEach(() => void vi.useFakeTimers())

  test('without a way to confirm it, ends after 0.8 to 1 times as long', async () => {
    const { told, left } = await readTold({ everyMs: 10_000, confirm: undefined }, 60_000)

    expect(told.at(-1)).toBe('expired')
    expect(told.length - 1).toBeGreaterThanOrEqual(7)
    expect(told.length - 1).toBeLessThanOrEqual(10)
    await left()
  })

  test('silent, it ends too', async () => {
    const { told, left } = await readTold(
      { everyMs: 10_000, confirm: undefined },
      13_100,
      feedFrom(oneThenSilence),
    )

    expect(told).toEqual(['first', 'expired'])
    await left()
  })

  test('goes on without a pause while it is confirmed, and asks once each time', async () => {
    const confirm = vi.fn<() => Promise<boolean>>(async () => {
      await new Promise((resolve) => {
        setTimeout(resolve, 500)
      })
      return true
    })

    const { told, left } = await readTold({ everyMs: 10_000, confirm }, 100_500)

    expect(told).toEqual(Array.from({ length: 100 }, (_, index) => String(index + 1)))
    expect(confirm.mock.calls.length).toBeGreaterThanOrEqual(9)
    expect(confirm.mock.calls.length).toBeLessThanOrEqual(14)
    await left()
  })

  test('ends once it is denied', async () => {
    let isGranted = true
    const confirm = (): Promise<boolean> => Promise.resolve(isGranted)
    const { told, left } = await readTold({ everyMs: 10_000, confirm }, 30_500)
    expect(told).toHaveLength(30)
    isGranted = false

    await vi.advanceTimersByTimeAsync(12_000)

    expect(told.at(-1)).toBe('expired')
    expect(told.length).toBeLessThanOrEqual(41)
    await left()
  })

  test('sends nothing beyond its end while the answer is not there, and all of it after', async () => {
    let answer = (_isGranted: boolean): void => {}
    const confirm = (): Promise<boolean> =>
      new Promise((resolve) => {
        answer = resolve
      })
    const { told, left } = await readTold({ everyMs: 10_000, confirm }, 30_500)
    expect(told.length).toBeLessThanOrEqual(10)
    const before = [...told]

    answer(true)
    await vi.advanceTimersByTimeAsync(1_000)

    expect(told.length).toBeGreaterThan(before.length)
    expect(told.slice(0, before.length)).toEqual(before)
    await left()
  })

  test('is asked to leave for a drain while the answer is not there', async () => {
    const streams = openStreams()
    const recheck = { everyMs: 1_000, confirm: () => new Promise<boolean>(() => {}) }
    const response = toWeb(streams.answer(feedOf(onceASecond()), { signal: staying(), recheck }))
    const reading = readAllEvents(response)
    await vi.advanceTimersByTimeAsync(5_000)

    await Promise.all([streams.drain(100), vi.advanceTimersByTimeAsync(100)])

    expect((await reading).at(-1)).toMatchObject({
      event: 'reconnect',
      data: expect.stringContaining('drain') as unknown,
    })
  })
})

describe('headOf', () => {
  test('keeps status and headers, opens nothing, and closes the feed', async () => {
    const feed = feedOf(events('one'))
    const close = vi.spyOn(feed, 'close')

    const head = toWeb(headOf(openStreams().answer(feed, { signal: staying() })))

    expect(head.status).toBe(200)
    expect(head.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(head.body).toBeNull()
    expect(close).toHaveBeenCalledOnce()
  })
})

describe('after a cut at any byte, a reader that prepends its incomplete frame to the next stream', () => {
  const before = encodeEvent({ id: 'test.1', data: 'whole' })
  const cut = encodeEvent({ id: 'test.2', type: 'order', data: 'half\nof it' })
  const whole = { type: 'message', data: 'whole', lastEventId: 'test.1' }

  test.each<[string, (lastEventId: string) => Response]>([
    ['a stream', (cursor) => streamResponse(feedOf(events(), { cursor }), { signal: staying() })],
    [
      'a refusal because there are too many streams',
      (cursor) => {
        return streamResponse(feedOf(events(), { cursor }), { signal: staying(), maxStreams: 0 })
      },
    ],
    [
      'a refusal before there was a feed',
      (lastEventId) => toWeb(openStreams().comeBack('unavailable', { lastEventId })),
    ],
  ])('keeps its cursor with %s, and does not deliver the incomplete event', async (_, answer) => {
    for (let cutAt = 0; cutAt < cut.length; cutAt++) {
      const reader = createForeignReader(habitsOf['the EventSource of WebKit'])
      reader.feed(before + cut.slice(0, cutAt))
      reader.cut()

      reader.feed(await answer(reader.lastEventId).text())

      expect(reader.lastEventId).toBe('test.1')
      const [first, control, ...rest] = reader.events
      expect([first, ...rest.filter(({ type }) => type !== 'end')]).toEqual([whole])
      expect(control?.type).toMatch(/^(?:connected|reconnect)$/)
    }
  })

  test('has no cursor when its first stream broke, and gets none from a refusal', async () => {
    const [connected = ''] =
      /^[^]*?\n\n/.exec(
        await streamResponse(feedOf(events(), { cursor: 'test.1' }), { signal: staying() }).text(),
      ) ?? []
    for (let cutAt = 0; cutAt < connected.length; cutAt++) {
      const reader = createForeignReader(habitsOf['the EventSource of WebKit'])
      reader.feed(connected.slice(0, cutAt))
      reader.cut()

      reader.feed(await toWeb(openStreams().comeBack('unavailable', { lastEventId: '' })).text())

      expect(reader.lastEventId).toBe('')
    }
  })
})
