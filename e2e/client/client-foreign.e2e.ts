/** The client in a real Chromium, on streams of servers that are not ours: of another origin, with ids of their own or none, and without control events. */
import type { IncomingMessage } from 'node:http'
import {
  longestWaitMs,
  openClient,
  stopClock,
  type ClientInPage,
} from '../../test/pages/client-page'
import { expect, test } from '../../test/fixtures/client-test'
import { answerWith, streamHeaders, streamOf, type Answer } from '../../test/servers/stream-origin'

/** A server that continues after the cursor in the query, sends the frames of one connection, and then closes. */
function replay(
  frames: readonly { id: string; frame: string }[],
  perConnection: number,
): { answer: Answer; cursors: string[] } {
  const cursors: string[] = []
  return {
    cursors,
    answer(request, response) {
      const cursor = cursorOf(request)
      cursors.push(cursor)
      const next = frames.findLastIndex(({ id }) => id === cursor) + 1
      const sent = frames.slice(next, next + perConnection)
      response.writeHead(200, streamHeaders)
      response.write(sent.map(({ frame }) => frame).join('') || ': nothing more\n\n')
      if (sent.length > 0) response.end()
    },
  }
}

function cursorOf({ url = '', headers }: IncomingMessage): string {
  const asked = new URL(url, `http://${headers.host}`).searchParams.getAll('lastEventId')
  expect(asked.length).toBeLessThanOrEqual(1)
  return asked[0] ?? ''
}

async function idsOf(client: ClientInPage): Promise<string[]> {
  return (await client.recorded()).events.map(({ id }) => id)
}

test('Without ids each connection starts from the beginning, and every event is delivered as it came', async ({
  page,
  originOf,
}) => {
  const [home, foreign] = [await originOf(), await originOf()]
  foreign.answer = (_, response) => {
    const { length } = foreign.requests
    response.writeHead(200, streamHeaders).write(`data: same\n\ndata: connection ${length}\n\n`)
    if (length < 3) response.end()
  }

  const client = await openClient(page, home.url, { url: `${foreign.url}/events`, random: 0 })
  await client.untilData(['same', 'connection 1', 'same', 'connection 2', 'same', 'connection 3'])

  expect(foreign.requests.map(({ url }) => url)).toEqual(['/events', '/events', '/events'])
  expect(home.requests).toEqual([])
})

test('An id holds for the events after it that have none, over a new connection too', async ({
  page,
  originOf,
}) => {
  const [home, foreign] = [await originOf(), await originOf()]
  const answers = [
    'id: one\ndata: 1\n\ndata: 2\n\n',
    'data: 3\n\nevent: connected\ndata: mine\n\n',
    'data: 4\n\nid: five\ndata: 5\n\n',
    'id\ndata: 6\n\n',
    'id: seven\ndata: 7\n\nid\ndata: 8\n\n',
  ]
  const cursors: string[] = []
  foreign.answer = (request, response) => {
    cursors.push(cursorOf(request))
    response.writeHead(200, streamHeaders).write(answers[cursors.length - 1] ?? 'data: 9\n\n')
    if (cursors.length <= answers.length) response.end()
  }

  const client = await openClient(page, home.url, { url: `${foreign.url}/events`, random: 0 })
  await client.untilData(['1', '2', '3', '4', '5', '6', '7', '8', '9'])

  // At the start of a connection an empty id looks like no id. Later it resets the cursor.
  expect(cursors).toEqual(['', 'one', 'one', 'five', 'five', ''])
  expect(await idsOf(client)).toEqual(['one', 'one', 'one', 'one', 'five', 'five', 'seven', '', ''])
})

const idsOfOthers = [
  ['ä/1 &?', 'b#2', '{"c":3}', '+%20', '9007199254740993'],
  ['900', '3', '77', '-1', '4'],
  // Matches our grammar, but belongs to another server.
  ['abcd.9', 'abcd.3', 'efgh.7', 'abcd.1', 'abcd.8'],
]

test('Ids of any grammar and order are presented as they came, and no event is dropped for its id', async ({
  page,
  originOf,
}) => {
  const [home, foreign] = [await originOf(), await originOf()]
  for (const ids of idsOfOthers) {
    const { answer, cursors } = replay(
      ids.map((id) => ({ id, frame: `id: ${id}\ndata: ${id}\n\n` })),
      2,
    )
    foreign.answer = answer

    const client = await openClient(page, home.url, {
      url: `${foreign.url}/events?a=b#c`,
      random: 0,
    })
    await client.untilData(ids)

    await expect.poll(() => cursors).toEqual(['', ids[1], ids[3], ids[4]])
    expect(await idsOf(client)).toEqual(ids)
  }
})

test('A server that ends the response after each event is asked for the next, each once', async ({
  page,
  originOf,
}) => {
  const [home, foreign] = [await originOf(), await originOf()]
  const ids = Array.from({ length: 6 }, (_, index) => `n${index}`)
  const { answer, cursors } = replay(
    ids.map((id) => ({ id, frame: `id: ${id}\ndata: ${id}\n\n` })),
    1,
  )
  foreign.answer = answer

  const client = await openClient(page, home.url, { url: `${foreign.url}/events`, random: 0 })
  await client.untilData(ids)

  await expect.poll(() => cursors).toEqual(['', ...ids])
})

test('Without control events a stream may be silent for hours', async ({ page, originOf }) => {
  await page.clock.install()
  const [home, foreign] = [await originOf(), await originOf()]
  foreign.answer = streamOf('data: here\n\n')
  const client = await openClient(page, home.url, { url: `${foreign.url}/events` })
  await client.untilData(['here'])

  await page.clock.fastForward('05:00:00')
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
  await page.evaluate(() => fetch('/client'))

  expect((await client.state()).status).toBe('open')
  expect(foreign.requests).toHaveLength(1)
})

test('Heartbeats that no server means break nothing, and keep no timer busy', async ({
  page,
  originOf,
}) => {
  const [home, foreign] = [await originOf(), await originOf()]
  const heartbeats = ['0', '-1', '2000000000', '1e999', '"15s"', 'null']
  foreign.answer = streamOf(
    ...heartbeats.map((ms) => `event: connected\ndata: {"heartbeatMs":${ms}}\n\n`),
    'data: here\n\n',
  )
  const client = await openClient(page, home.url, { url: `${foreign.url}/events` })
  await client.untilData(['here'])

  const timers = await page.evaluate(async () => {
    let set = 0
    const { setTimeout: original } = globalThis
    globalThis.setTimeout = ((...given: Parameters<typeof original>) => {
      set++
      return original(...given)
    }) as typeof original
    await new Promise((resolve) => original(resolve, 1_000))
    return set
  })

  expect(timers).toBeLessThan(5)
  expect((await client.state()).status).toBe('open')
  expect(foreign.requests).toHaveLength(1)
})

test('An event of a listed type is the page’s own, be it called open, error, end or ping', async ({
  page,
  originOf,
}) => {
  const [home, foreign] = [await originOf(), await originOf()]
  foreign.answer = streamOf(
    'event: error\ndata: no fault\n\n',
    'event: open\ndata: no news\n\n',
    'event: end\ndata: of the week\n\n',
    'event: ping\ndata: pong\n\n',
    'event: unlisted\ndata: not heard\n\n',
  )

  const client = await openClient(page, home.url, {
    url: `${foreign.url}/events`,
    types: ['error', 'open', 'end', 'ping'],
  })
  await client.untilData(['no fault', 'no news', 'of the week', 'pong'])

  expect(await client.path()).toEqual(['connecting', 'open'])
  expect(foreign.requests).toHaveLength(1)
})

test('A refusal that another origin hides from the page is asked for again, ever more slowly', async ({
  page,
  originOf,
  requestsForReason,
}) => {
  await stopClock(page)
  const [home, foreign] = [await originOf(), await originOf()]
  foreign.answer = answerWith(401)

  const client = await openClient(page, home.url, { url: `${foreign.url}/events`, random: 1 })

  for (let refusals = 1; refusals <= 3; refusals++) {
    const { waitMs, ...step } = await client.wait(refusals)
    // With an EventSource each refusal takes two attempts: one to be refused, one to ask why.
    const attempt = requestsForReason * refusals
    expect(step).toEqual({ status: 'reconnecting', attempt, error: 'unreachable' })
    expect(waitMs).toBe(longestWaitMs(attempt))
    expect(foreign.requests).toHaveLength(attempt)
    await page.clock.fastForward(waitMs)
  }
})
