/** A connection breaks inside a frame, at every byte, and no client misses an event: not even a client that remembers an id too early. */
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { EventSource as EventSourcePackage } from 'eventsource'
import { startCuttingProxy } from '../../test/servers/cutting-proxy'
import {
  createForeignReader,
  habitsOf,
  type ForeignEvent,
  type ForeignHabits,
} from '../../test/readers/foreign-reader'
import { asPublisher } from '../../test/requests/publisher'
import { sendRequest } from '../../test/requests/send-request'
import { expect, test } from '../../test/fixtures/server-test'
import { readRaw } from '../../test/requests/raw-connection'

const published = [
  { type: 'message', data: 'one' },
  { type: 'order.paid', data: 'two\n{"a":\n1}' },
  { type: 'message', data: 'three' },
  { type: 'message', data: 'the last' },
]
const types = [...new Set(published.map(({ type }) => type))]

interface Prepared {
  expected: ForeignEvent[]
  /** The answer with its head and chunks, up to the last event. The last event is never cut: a client that has it is done. */
  answer: string
}

async function prepare(url: string): Promise<Prepared> {
  const expected: ForeignEvent[] = []
  for (const { type, data } of published) {
    const { body } = await sendRequest(url, `/events/cut?type=${type}`, {
      method: 'POST',
      headers: { ...asPublisher, 'content-type': 'text/plain' },
      body: data,
    })
    const { ids } = JSON.parse(body) as { ids: [string] }
    expected.push({ type, data, lastEventId: ids[0] })
  }
  const all = await readRaw(url, '/events/cut?since=all', (text) => text.includes('the last'))
  return { expected, answer: all.slice(0, all.lastIndexOf('\n\n', all.indexOf('the last')) + 2) }
}

/** The result of each cut of the answer, at every byte after its head. */
async function cutEverywhere<T>(
  { answer }: Prepared,
  read: (cutAt: number) => Promise<T>,
): Promise<{ cutAt: number; got: T }[]> {
  const results: { cutAt: number; got: T }[] = []
  let next = answer.indexOf('\r\n\r\n') + 4
  const readOn = async (): Promise<void> => {
    for (let cutAt = next++; cutAt <= answer.length; cutAt = next++) {
      results.push({ cutAt, got: await read(cutAt) })
    }
  }
  await Promise.all(Array.from({ length: 32 }, readOn))
  return results
}

function readWithPackage(url: string): Promise<ForeignEvent[]> {
  return new Promise((resolve) => {
    const events: ForeignEvent[] = []
    const source = new EventSourcePackage(url)
    for (const name of types) {
      source.addEventListener(name, ({ type, data, lastEventId }) => {
        events.push({ type, data: data as string, lastEventId })
        if (data !== 'the last') return
        source.close()
        resolve(events)
      })
    }
  })
}

/** Reconnects until it has the last event. Returns the received events of the published types: a client listens to no others. */
async function readWithHabits(url: string, habits: ForeignHabits): Promise<ForeignEvent[]> {
  const reader = createForeignReader(habits)
  const isDone = (): boolean => reader.events.some(({ data }) => data === 'the last')
  while (!isDone()) {
    const headers = reader.lastEventId === '' ? {} : { 'last-event-id': reader.lastEventId }
    const request = get(url, { headers, agent: false })
    request.on('error', () => {})
    request.on('response', (response: IncomingMessage) => {
      expect(response.statusCode).toBe(200)
      response.on('error', () => {})
      response.setEncoding('latin1').on('data', (text: string) => {
        reader.feed(text)
        if (isDone()) request.destroy()
      })
    })
    await once(request, 'close')
    reader.cut()
  }
  return reader.events.filter(({ type }) => types.includes(type))
}

// Some hundred connections to each.
const env = { RETRY: '1ms' }

test('Cut at any byte, the eventsource package gets every event, once', async ({ start }) => {
  const server = await start({ env })
  const prepared = await prepare(server.url)

  const results = await cutEverywhere(prepared, async (cutAt) => {
    const proxy = await startCuttingProxy(server.url, (n) => (n === 0 ? cutAt : Infinity))
    const events = await readWithPackage(`${proxy.url}/events/cut?since=all`)
    await proxy.close()
    return events
  })

  expect(results.filter(({ got }) => !isEqual(got, prepared.expected))).toEqual([])
  expect(results.length).toBeGreaterThan(200)
  await expect.poll(server.openStreams).toBe(0)
})

for (const [client, habits] of Object.entries(habitsOf)) {
  test(`Cut at any byte, a client with the habits of ${client} gets every event, once`, async ({
    start,
  }) => {
    const server = await start({ env })
    const prepared = await prepare(server.url)
    const { answer, expected } = prepared
    const headLength = answer.indexOf('\r\n\r\n') + 4
    // A client that remembers an id before the empty line misses the event if only that line is missing. No order of fields prevents this.
    const isBeyondHelp = (cutAt: number): boolean =>
      habits.countsIdEarly && /\nid: [^\n]*\n$/.test(answer.slice(0, cutAt))

    const results = await cutEverywhere(prepared, async (cutAt) => {
      // A second cut somewhere else, where the rest of the first cut could do harm.
      const again = headLength + (((cutAt - headLength) * 101) % (answer.length - headLength))
      const cuts = [cutAt, ...(habits.countsIdEarly ? [] : [again])]
      const proxy = await startCuttingProxy(server.url, (n) => cuts[n] ?? Infinity)
      const events = await readWithHabits(`${proxy.url}/events/cut?since=all`, habits)
      await proxy.close()
      return events
    })

    const wrong = results.filter(({ got }) => !isEqual(got, expected))
    expect(wrong.filter(({ cutAt }) => !isBeyondHelp(cutAt))).toEqual([])
    await expect.poll(server.openStreams).toBe(0)
  })
}

function isEqual(some: object, others: object): boolean {
  return JSON.stringify(some) === JSON.stringify(others)
}
