/** Streams that are read over one connection. Chromium's tabs are in e2e/client/tabs.e2e.ts. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import {
  answerReally,
  newTopics,
  openAll,
  openRequests,
  openStream,
  origin,
  publish,
  topicsIn,
  until,
  untilHeard,
  untilMerged,
  type Stream,
} from '@/test/doubles/worker-origin'

describe('streams of different topics', () => {
  test('are read over one connection, and each has its own events, once', async () => {
    const topics = newTopics(6)
    const opened = openAll(topics)
    await untilMerged(...topics)

    for (const topic of topics) await publish(topic, `one of ${topic}`, `two of ${topic}`)

    for (const [index, stream] of opened.entries()) {
      await untilHeard(stream, [`one of ${topics[index]}`, `two of ${topics[index]}`])
      expect(stream.progress.status).toBe('open')
    }
    // Three by themselves at most, and one that is merged.
    expect(origin.mostConnections).toBe(4)
  })

  test('are merged once they have caught up: with the last events, or after a cursor', async () => {
    const [first, past, resumed] = newTopics(3) as [string, string, string]
    await publish(past, 'a', 'b', 'c')
    const [after = ''] = await publish(resumed, 'd', 'e')
    const streamOfFirst = openStream(first)
    const streamOfPast = openStream(past, { query: '&last=2' })
    const streamOfResumed = openStream(resumed, { cursor: after })
    await untilMerged(first, past, resumed)

    await publish(past, 'f')
    await publish(resumed, 'g')
    await publish(first, 'h')

    await untilHeard(streamOfPast, ['b', 'c', 'f'])
    await untilHeard(streamOfResumed, ['e', 'g'])
    await untilHeard(streamOfFirst, ['h'])
  })

  test('lose and repeat nothing while streams come and go, and everything is published', async () => {
    const topics = newTopics(5)
    const published = new Map(topics.map((topic) => [topic, new Array<string>()]))
    const kept = openAll(topics)
    await until(() =>
      expect(kept.map(({ progress }) => progress.status)).toEqual(topics.map(() => 'open')),
    )
    const over = new AbortController()
    const publishing = topics.map(async (topic) => {
      for (let n = 0; !over.signal.aborted; n++) {
        published.get(topic)?.push(`${n}`)
        await publish(topic, `${n}`)
        await sleep(1)
      }
    })
    for (let round = 0; round < 4; round++) {
      const passing = openAll(newTopics(2))
      await sleep(400)
      for (const { controller } of passing) controller.close()
    }
    for (const { response } of origin.requests) response.destroy()
    await sleep(500)
    over.abort()
    await Promise.all(publishing)

    for (const [index, topic] of topics.entries()) {
      await untilHeard(kept[index] as Stream, published.get(topic) ?? [])
    }
    await untilMerged(...topics)
  })

  test('go on each after its own cursor when the connection breaks', async () => {
    const [one, other] = newTopics(2) as [string, string]
    const streamOfOne = openStream(one)
    const streamOfOther = openStream(other)
    await untilMerged(one, other)
    await publish(one, 'a')
    await untilHeard(streamOfOne, ['a'])

    origin.answer = (_, response) => response.destroy()
    for (const { response } of origin.requests) response.destroy()
    await publish(one, 'b')
    await publish(other, 'c')
    await until(() => expect(streamOfOther.progress.status).toBe('reconnecting'))
    origin.answer = answerReally

    await untilHeard(streamOfOne, ['a', 'b'])
    await untilHeard(streamOfOther, ['c'])
    await untilMerged(one, other)
  })

  test('more than 32 topics take another connection', async () => {
    const topics = newTopics(41)
    const opened = [
      openStream(topics.slice(0, 20).join()),
      openStream(topics.slice(20, 30).join()),
      openStream(topics.slice(30, 36).join()),
      openStream(topics.slice(36).join()),
    ]
    await until(() => {
      expect(
        openRequests()
          .map((path) => topicsIn(path).length)
          .toSorted((a, b) => a - b),
      ).toEqual([11, 30])
    })

    for (const topic of topics) await publish(topic, topic)

    await untilHeard(opened[0] as Stream, topics.slice(0, 20))
    await untilHeard(opened[2] as Stream, topics.slice(30, 36))
    await untilHeard(opened[3] as Stream, topics.slice(36))
  })

  test('the last one closes the connection, and topics that nobody reads are dropped after 10 s', async () => {
    const topics = newTopics(3)
    const [first, second, third] = openAll(topics) as [Stream, Stream, Stream]
    await untilMerged(...topics)

    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      third.controller.close()
      vi.advanceTimersByTime(10_000)
    } finally {
      vi.useRealTimers()
    }

    await untilMerged(topics[0], topics[1] ?? '')
    first.controller.close()
    second.controller.close()
    await until(() => expect(openRequests()).toEqual([]))
  })
})
