import { describe, expect, test } from 'vitest'
import { readAllEvents, readEvents } from '@/test/readers/read-events'
import { feedFrom, openStreams } from '@/test/readers/stream-of'
import type { ServerSentEvent } from '@/protocol/event'
import { toWeb } from '@/server/routes/web-request'
import type { OpenStreams } from './open-streams'

async function* silence(ended: AbortSignal): AsyncGenerator<ServerSentEvent> {
  await new Promise((resolve) => ended.addEventListener('abort', resolve))
  yield { data: 'never read' }
}

/** Opens a stream without events. Records when its reader was asked to leave, and why. */
async function openSilent(
  streams: OpenStreams,
): Promise<{ left: Promise<{ at: number; reason: unknown }> }> {
  const { signal } = new AbortController()
  const reading = readEvents(toWeb(streams.answer(feedFrom(silence), { signal })))
  await reading.next()
  async function leave(): Promise<{ at: number; reason: unknown }> {
    const { value } = await reading.next()
    const { reason } = JSON.parse(value?.data ?? '{}') as { reason?: unknown }
    return { at: performance.now(), reason }
  }
  return { left: leave() }
}

describe('drain', () => {
  test('asks many readers to leave one after another, spread over the given time', async () => {
    const streams = openStreams()
    const open = await Promise.all(Array.from({ length: 100 }, () => openSilent(streams)))
    const startedAt = performance.now()

    await streams.drain(500)

    const leavings = await Promise.all(open.map(({ left }) => left))
    for (const [index, { at, reason }] of leavings.entries()) {
      expect(reason).toBe('drain')
      expect(at - startedAt).toBeGreaterThanOrEqual(index * 5 - 2)
    }
  })

  test('asks a few readers to leave quickly', async () => {
    const streams = openStreams()
    for (let n = 0; n < 5; n++) await openSilent(streams)
    const startedAt = performance.now()

    await streams.drain(60_000)

    expect(performance.now() - startedAt).toBeLessThan(30_000)
  })

  test('waits no longer than the given time for a reader that takes nothing', async () => {
    const streams = openStreams()
    const { signal } = new AbortController()
    const endless = { ...feedFrom(silence), take: () => new Uint8Array(1_000) }
    const { body } = streams.answer(endless, { signal })
    if (typeof body !== 'object') throw new Error('This is no stream.')
    body.send({ write: () => false, close() {} })
    const startedAt = performance.now()

    await streams.drain(200)

    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(190)
    body.stop()
  })

  test('refuses new streams meanwhile', async () => {
    const streams = openStreams()
    expect(streams.isDraining).toBe(false)

    await streams.drain(1_000)

    const { signal } = new AbortController()
    const [first] = await readAllEvents(toWeb(streams.answer(feedFrom(silence), { signal })))
    expect(first?.event).toBe('reconnect')
    expect(first?.data).toContain('"reason":"drain"')
    expect(streams.isDraining).toBe(true)
  })
})
