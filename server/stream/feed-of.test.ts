import { EventEmitter, on } from 'node:events'
import { describe, expect, test, vi } from 'vitest'
import { ready } from '@/test/readers/feed-reader'
import type { ServerSentEvent } from '@/protocol/event'
import { feedOf } from './feed-of'

async function* numbers(count: number): AsyncGenerator<ServerSentEvent> {
  for (let n = 1; n <= count; n++) yield { id: `numb.${n}`, data: `${n}` }
}

async function takeNext(feed: ReturnType<typeof feedOf>): Promise<unknown> {
  await ready(feed)
  const chunk = feed.take(1024)
  return chunk instanceof Uint8Array ? new TextDecoder().decode(chunk) : chunk
}

describe('feedOf', () => {
  test('returns one frame for each event, then end', async () => {
    const feed = feedOf(numbers(2))

    expect(await takeNext(feed)).toBe('data: 1\nid: numb.1\n\n')
    expect(await takeNext(feed)).toBe('data: 2\nid: numb.2\n\n')
    expect(await takeNext(feed)).toBe('end')
    expect(await takeNext(feed)).toBe('end')
  })

  test('the cursor is never ahead of the taken frames', async () => {
    const feed = feedOf(numbers(1), { cursor: 'numb.0' })

    await ready(feed)
    expect(feed.cursor()).toBe('numb.0')
    feed.take(1024)
    expect(feed.cursor()).toBe('numb.1')
  })

  test('asks for an event only when the last one was taken', async () => {
    let made = 0
    async function* counted(): AsyncGenerator<ServerSentEvent> {
      for (;;) yield { data: `${++made}` }
    }
    const feed = feedOf(counted())

    expect(made).toBe(0)
    await ready(feed)
    await ready(feed)
    expect(made).toBe(1)
  })

  test('close calls return in the middle of a sequence, once', async () => {
    const released = vi.fn<() => void>()
    async function* guarded(): AsyncGenerator<ServerSentEvent> {
      try {
        yield* numbers(9)
      } finally {
        released()
      }
    }
    const feed = feedOf(guarded())
    await takeNext(feed)

    await feed.close()
    await feed.close()

    expect(released).toHaveBeenCalledOnce()
  })

  test('close calls return on a sequence from which no event was requested', async () => {
    const emitter = new EventEmitter()
    const feed = feedOf(on(emitter, 'event') as unknown as AsyncIterable<ServerSentEvent>)
    expect(emitter.listenerCount('event')).toBe(1)

    await feed.close()

    expect(emitter.listenerCount('event')).toBe(0)
  })

  test('close aborts the signal of a waiting source', async () => {
    const ended = new AbortController()
    const feed = feedOf(numbers(1), { ended })
    await takeNext(feed)

    await feed.close()

    expect(ended.signal.aborted).toBe(true)
  })

  test('the error of a source that throws reaches onReady', async () => {
    const cause = new Error('the database is gone')
    const broken = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(cause) }) }

    await expect(ready(feedOf(broken))).rejects.toBe(cause)
  })

  test('an event of a reserved type is refused', async () => {
    async function* forged(): AsyncGenerator<ServerSentEvent> {
      yield { type: 'end', data: '{}' }
    }

    await expect(takeNext(feedOf(forged()))).rejects.toMatchObject({ code: 'reserved-type' })
  })
})
