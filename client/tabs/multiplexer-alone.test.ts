/** Streams that can't be read with others, and what interrupts those that are. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import {
  answerReally,
  engine,
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
} from '@/test/doubles/worker-origin'

describe('a stream stays by itself', () => {
  test('when it is the only one', async () => {
    const [topic] = newTopics(1)
    const stream = openStream(topic)
    await until(() => expect(stream.progress.status).toBe('open'))
    await sleep(400)
    await publish(topic, 'a')

    await untilHeard(stream, ['a'])
    expect(origin.requests).toHaveLength(1)
  })

  test('when the server refuses its topics together with others', async () => {
    origin.refuses = (topics) => topics.length > 1
    const topics = newTopics(2)
    const opened = openAll(topics)
    await until(() =>
      expect(origin.requests.some(({ url: path }) => topicsIn(path).length > 1)).toBe(true),
    )
    await until(() => expect(openRequests()).toHaveLength(2))
    await sleep(400)

    for (const topic of topics) await publish(topic, topic)

    for (const [index, stream] of opened.entries()) await untilHeard(stream, [topics[index] ?? ''])
    expect(origin.requests.filter(({ url: path }) => topicsIn(path).length > 1)).toHaveLength(2)
  })

  test('when the page has another reader by then: nothing of one reaches the other', async () => {
    const [ofAnna, alsoOfAnna, ofBert] = newTopics(3) as [string, string, string]
    const opened = openAll([ofAnna, alsoOfAnna])
    await untilMerged(ofAnna, alsoOfAnna)

    origin.user = 'bert'
    const third = openStream(ofBert)
    await until(() => expect(third.progress.status).toBe('open'))
    await sleep(400)
    expect(openRequests().map(topicsIn)).toEqual([[ofAnna, alsoOfAnna].toSorted(), [ofBert]])
    for (const { response } of origin.requests) response.destroy()

    await until(() => {
      for (const { progress } of opened) {
        expect(progress).toMatchObject({ status: 'failed', error: { kind: 'reader' } })
      }
    })
    await publish(ofBert, 'a')
    await untilHeard(third, ['a'])
  })

  test('when the server does not say who reads, and others need not wait for it', async () => {
    origin.answer = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {}\n\n')
    }
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const foreign = openAll(newTopics(3))
    openAll(newTopics(2))
    try {
      await until(() => {
        expect(foreign.map(({ progress }) => progress.status)).toEqual(['open', 'open', 'open'])
      })
      expect(openRequests()).toHaveLength(3)
      origin.answer = answerReally
      vi.advanceTimersByTime(5_000)
    } finally {
      vi.useRealTimers()
    }

    await until(() => expect(openRequests()).toHaveLength(4))
    expect(foreign.map(({ progress }) => progress.status)).toEqual(['open', 'open', 'open'])
  })
})

test('Events that may be missing are told only to the stream of their topic', async () => {
  const [one, other] = newTopics(2) as [string, string]
  const streamOfOne = openStream(one)
  const streamOfOther = openStream(other)
  await until(() => expect(openRequests()).toHaveLength(2))
  const { log } = await engine.hub()
  const { epoch, offset } = await log.head()
  const lost = `id: ${epoch}.${offset + 90}\nevent: resync\ndata: {"reason":"trimmed","from":"","oldest":null,"topics":["${one}"]}\n\n`
  origin.answer = (request, response) => {
    const topics = topicsIn(request.url ?? '')
    if (topics.length === 1 && !topics.includes(one)) answerReally(request, response)
    else {
      const reader = streamOfOne.progress.reader
      const told = JSON.stringify({ heartbeatMs: 15_000, time: Date.now(), reader })
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`id: ${epoch}.${offset}\nevent: connected\ndata: ${told}\n\n${lost}`)
    }
  }

  await until(() => expect(streamOfOne.heard[0]).toBe('trimmed'))
  await publish(other, 'a')
  await untilHeard(streamOfOther, ['a'])
})

describe('a stream that was ahead of the others', () => {
  const told = { heartbeatMs: 15_000, time: Date.now(), reader: 'anna_anna_anna_a' }
  const began = (id: string): string =>
    `id: ${id}\nevent: connected\ndata: ${JSON.stringify(told)}\n\n`
  const event = (id: string, topic: string): string =>
    `id: ${id}\ndata: ${JSON.stringify({ topic, type: 'message', time: 1, data: id })}\n\n`

  /** Opens the streams at these places; the connection for both says `frames`, and one after the first place that all is lost. */
  function openAt(
    placeAhead: string,
    placeBehind: string,
    framesOf: (ahead: string, behind: string) => string,
  ) {
    const [ahead, behind] = newTopics(2) as [string, string]
    origin.answer = (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost')
      const topics = topicsIn(pathname)
      const isResumed = [request.headers['last-event-id'], searchParams.get('lastEventId')].some(
        Boolean,
      )
      const loss = { reason: 'epoch', from: placeAhead, oldest: null, topics }
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      if (topics.length > 1) response.write(began(placeBehind) + framesOf(ahead, behind))
      else if (topics[0] === behind) response.write(began(placeBehind))
      else if (!isResumed) response.write(began(placeAhead))
      else response.write(`id: cccc.1\nevent: resync\ndata: ${JSON.stringify(loss)}\n\n`)
    }
    return [openStream(ahead), openStream(behind)] as const
  }

  test.each([
    ['the log uses its offsets again', 'aaaa.5', 'bbbb.501'],
    ['the next event is of another term', 'aaaa.5', 'bbbb.2000'],
    ['its own term is gone', 'zzzz.5', 'bbbb.501'],
    ['its offset names another event', 'aaaa.5', 'bbbb.1000'],
  ])('goes on by itself, and hears what it lost, when %s', async (_, placeBehind, id) => {
    const [stream] = openAt('aaaa.1000', placeBehind, (ahead) => event(id, ahead))

    await untilHeard(stream, ['epoch'])
  })

  test('stays with them while the log has its place, in whatever term', async () => {
    const [stream, other] = openAt('bbbb.1000', 'aaaa.5', (ahead, behind) =>
      [
        event('aaaa.200', ahead),
        event('aaaa.300', behind),
        event('bbbb.999', behind),
        event('bbbb.1000', ahead),
        event('bbbb.1001', ahead),
        event('cccc.1002', ahead),
      ].join(''),
    )

    await untilHeard(stream, ['bbbb.1001', 'cccc.1002'])
    expect(other.heard).toEqual(['aaaa.300', 'bbbb.999'])
    expect(origin.requests).toHaveLength(3)
  })
})
