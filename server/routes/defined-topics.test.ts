/** The topic route of an app that defines its topics. */
import { afterAll, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { defineTopics } from '@/protocol/topics/define-topics'
import { json } from '@/protocol/topics/schema'
import { journal } from '@/server/observe/journal'
import { createSse } from '@/server/sse/sse'
import { readEvents } from '@/test/readers/read-events'

vi.stubEnv('EVENTS_URL', 'memory:')

const topics = defineTopics({
  orders: { 'order.paid': z.object({ id: z.string(), amount: z.number() }), message: json() },
  'user.*': {
    bell: z.object({ from: z.string().min(3) }),
    thrown: z.string().transform((text) => text.at(99)!.length),
    later: z.string().refine(() => Promise.resolve(true)),
  },
})
const sse = createSse({ topics })
const { GET, HEAD, POST } = sse.topicRoute

afterAll(() => sse.close())

function request(rest: string, init: RequestInit = {}): Request {
  return new Request(`http://localhost:3000/events/${rest}`, init)
}

function post(rest: string, body: string, contentType = 'application/json'): Promise<Response> {
  return POST(request(rest, { method: 'POST', body, headers: { 'Content-Type': contentType } }))
}

async function textsOf(topic: string): Promise<string[]> {
  const { events } = await createSse().history(topic)
  return events.map(({ data }) => data)
}

describe('POST', () => {
  test('stores a body that fits, unchanged', async () => {
    const text = '{ "id": "a",  "amount": 1, "more": true }'

    expect((await post('orders?type=order.paid', text)).status).toBe(201)

    expect(await textsOf('orders')).toEqual([text])
  })

  test('answers 404 for a topic, and 422 for a type, that is not defined', async () => {
    const [topic, type] = await Promise.all([post('ordres', '1'), post('orders?type=paid', '1')])

    expect([topic?.status, type?.status]).toEqual([404, 422])
    expect(await topic?.json()).toMatchObject({ code: 'unknown-topic' })
    expect(await type?.json()).toMatchObject({ code: 'unknown-type' })
  })

  test('names the issues of a body that does not fit, and never the value', async () => {
    const response = await post('orders?type=order.paid', '{"id":"top secret","amount":"4711"}')

    expect(response.status).toBe(422)
    const text = await response.text()
    expect(JSON.parse(text)).toEqual({
      status: 422,
      code: 'invalid-data',
      title: 'Data that does not fit its type',
      detail: 'The data does not fit its schema (order.paid of orders).',
      issues: [{ path: ['amount'], message: 'Invalid input: expected number, received string' }],
    })
    expect(text).not.toMatch(/secret|4711/)
  })

  test('publishes no line of NDJSON when one does not fit, and says which', async () => {
    const lines = '{"from":"Ana"}\n{"from":"Bo"}\n'

    const response = await post('user.lines?type=bell', lines, 'application/x-ndjson')

    expect(response.status).toBe(422)
    expect(await response.json()).toMatchObject({
      code: 'invalid-data',
      detail: 'The data does not fit its schema (bell of user.*, event 2).',
    })
    expect(await textsOf('user.lines')).toEqual([])
  })

  test('refuses a text that is not JSON', async () => {
    const response = await post('orders', 'hello', 'text/plain')

    expect(response.status).toBe(422)
    expect(await response.json()).toMatchObject({
      code: 'invalid-data',
      detail: 'The data is not JSON (message of orders).',
    })
  })

  test('answers 500 when a schema throws, and tells the journal', async () => {
    const error = vi.spyOn(journal, 'error').mockImplementation(() => {})

    const response = await post('user.a?type=thrown', '"short"')

    expect(response.status).toBe(500)
    expect(await response.json()).toMatchObject({
      code: 'schema-failed',
      detail: 'The schema of thrown of user.* failed.',
    })
    expect(error).toHaveBeenCalledWith(
      { err: expect.any(TypeError) as TypeError },
      'The schema of thrown of user.* failed.',
    )
  })

  test('fails when a schema is asynchronous', async () => {
    await expect(post('user.a?type=later', '"x"')).rejects.toThrow(TypeError)
  })

  test('lists at most 20 issues', async () => {
    const many = createSse({
      topics: defineTopics({ many: { a: z.array(z.number()) } }),
    }).topicRoute

    const response = await many.POST(
      request('many?type=a', { method: 'POST', body: JSON.stringify(Array(1_000).fill('x')) }),
    )

    expect(((await response.json()) as { issues: unknown[] }).issues).toHaveLength(20)
  })
})

describe('GET and HEAD', () => {
  test.each([GET, HEAD])('answer 404 when one of the topics is not defined', async (handler) => {
    expect((await handler(request('orders,ordres'))).status).toBe(404)
  })

  test('an envelope names the key of a topic that is not its own', async () => {
    await sse.publish('user.42', 'bell', { from: 'Ana' })
    await sse.publish('orders', 'message', 1)
    const keys: unknown[] = []

    // From the log, and then from the tail.
    const stream = readEvents(await GET(request('orders,user.42?since=all')))
    for await (const { data } of stream) {
      const { topic, key } = JSON.parse(data) as { topic?: string; key?: string }
      if (topic === undefined) continue
      keys.push([topic, key])
      if (keys.length === 3) await sse.publish('user.42', 'bell', { from: 'Bob' })
      if (keys.length === 4) break
    }

    expect(keys).toEqual([
      ['orders', undefined],
      ['user.42', 'user.*'],
      ['orders', undefined],
      ['user.42', 'user.*'],
    ])
  })

  test('two server objects of a process name the keys that each of them defines', async () => {
    const handlers = [GET, createSse().topicRoute.GET, GET]
    const url = 'user.7,user.8?since=all'
    const streams = await Promise.all(
      handlers.map(async (handler) => readEvents(await handler(request(url)))),
    )
    // Both wait for the same event of the tail.
    const found = streams.map(async (stream) => {
      for await (const { data } of stream) {
        const { topic, key } = JSON.parse(data) as { topic?: string; key?: string }
        if (topic !== undefined) return key
      }
      return 'ended'
    })
    await new Promise((resolve) => setTimeout(resolve, 50))

    await sse.publish('user.7', 'bell', { from: 'Ana' })

    expect(await Promise.all(found)).toEqual(['user.*', undefined, 'user.*'])
  })
})
