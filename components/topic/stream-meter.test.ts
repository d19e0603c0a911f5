import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { TopicEvent } from 'next-sse/react'
import { createStreamMeter, noReading, type StreamMeter } from './stream-meter'

const hour = 3_600_000
/** By this computer's clock, which is one hour ahead of the server's. */
const start = 100 * hour

type Stream = Parameters<StreamMeter['follow']>[0]

const connecting: Stream = {
  status: 'connecting',
  received: 0,
  openedAt: undefined,
  closedAt: undefined,
  clockOffsetMs: undefined,
}
const open: Stream = { ...connecting, status: 'open', openedAt: start, clockOffsetMs: hour }
const lost: Stream = { ...open, status: 'reconnecting' }

/** Published `delayMs` ago. */
function event(delayMs: number): TopicEvent {
  const time = Date.now() - hour - delayMs
  return { seq: 1, topic: 'a', type: 'message', data: '', id: '', time, receivedAt: Date.now() }
}

beforeEach(() => {
  vi.useFakeTimers({ now: start })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('createStreamMeter', () => {
  test('knows nothing before the stream was open', () => {
    const meter = createStreamMeter()

    meter.follow(connecting)

    expect(meter.read()).toEqual(noReading)
  })

  test('measures rate, delay, events received and how long the stream has been open', () => {
    const meter = createStreamMeter()
    meter.follow(open)
    vi.advanceTimersByTime(1_500)
    for (const delayMs of [20, 40, 60]) meter.count(event(delayMs))
    meter.follow({ ...open, received: 3 })
    vi.advanceTimersByTime(500)

    const { counts, ...rest } = meter.read()

    expect(counts.slice(-3)).toEqual([undefined, 0, 3])
    expect(rest).toEqual({
      delay: { medianMs: 40, worstMs: 60 },
      received: 3,
      openForMs: 2_000,
      reconnects: 0,
    })
  })

  test('events published before the connection are history: no rate and no delay', () => {
    const meter = createStreamMeter()
    // The offset is known only after the first events.
    meter.follow({ ...open, clockOffsetMs: undefined })
    for (const delayMs of [hour, 5_000]) meter.count(event(delayMs))
    vi.advanceTimersByTime(100)
    meter.count(event(63))
    meter.follow({ ...open, received: 3 })
    vi.advanceTimersByTime(900)

    const { counts, delay, received } = meter.read()

    expect(counts.at(-1)).toBe(1)
    expect(delay).toEqual({ medianMs: 63, worstMs: 63 })
    expect(received).toBe(3)
  })

  test('events have no delay when the server tells no time', () => {
    const meter = createStreamMeter()
    meter.follow({ ...open, clockOffsetMs: undefined })
    meter.count(event(63))
    vi.advanceTimersByTime(1_000)

    const { counts, delay } = meter.read()

    expect(counts.at(-1)).toBe(1)
    expect(delay.medianMs).toBeUndefined()
  })

  test('counts the seconds without a connection as unknown, and the reconnects', () => {
    const meter = createStreamMeter()
    meter.follow(open)
    vi.advanceTimersByTime(1_000)
    meter.follow(lost)
    vi.advanceTimersByTime(2_000)
    meter.follow({ ...open, status: 'connecting' })
    meter.follow(open)
    vi.advanceTimersByTime(1_000)

    const { counts, reconnects, openForMs } = meter.read()

    expect(counts.slice(-4)).toEqual([0, undefined, undefined, 0])
    expect(reconnects).toBe(1)
    expect(openForMs).toBe(4_000)
  })

  test('a stream that ended stops counting its time; the next one starts from zero', () => {
    const meter = createStreamMeter()
    for (const stream of [open, lost, open]) meter.follow(stream)
    vi.advanceTimersByTime(1_000)
    meter.follow({ ...open, status: 'closed', closedAt: Date.now() })
    vi.advanceTimersByTime(5_000)
    expect(meter.read()).toMatchObject({ openForMs: 1_000, reconnects: 1 })

    meter.follow(connecting)
    meter.follow({ ...open, openedAt: Date.now() })

    expect(meter.read()).toMatchObject({ openForMs: 0, reconnects: 0 })
  })

  test('does not keep events when nothing reads the meter', () => {
    const meter = createStreamMeter()
    meter.follow(open)
    for (let n = 0; n < 2_500; n++) meter.count(event(0))
    vi.advanceTimersByTime(1_000)

    expect(meter.read().counts.at(-1)).toBe(2_500)
  })
})
