/** The client in a real Chromium, when the network or the server goes away: no event is missing or comes twice, and the server gets no storm of requests. */
import { longestWaitMs, openClient, stopClock } from '../../test/pages/client-page'
import { expect, test } from '../../test/fixtures/client-test'
import { publish } from '../../test/requests/publish'

function numbered(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `event number ${from + index}`)
}

test('Cut at random bytes, a page ends with exactly what was published', async ({
  page,
  originOf,
  server,
}) => {
  const origin = await originOf(server.url)
  let cuts = -1
  origin.bytesBeforeCut = () => {
    cuts++
    return 300 + Math.floor(Math.random() * 1_200)
  }
  const url = '/events/page-cut?since=all'

  const client = await openClient(page, origin.url, { url, random: 0 })
  await publish(server.url, 'page-cut', ...numbered(0, 200))
  await client.untilData(numbered(0, 200))

  const { gaps, steps } = await client.recorded()
  expect(gaps).toEqual([])
  expect(cuts).toBeGreaterThan(3)
  expect(origin.requests).toHaveLength(1 + cuts)
  expect(steps.filter(({ status }) => status === 'connecting')).toHaveLength(1 + cuts)
})

test('A server killed and started again goes on where the page was', async ({
  page,
  originOf,
  start,
}) => {
  const first = await start()
  const origin = await originOf(first.url)
  const client = await openClient(page, origin.url, { url: '/events/killed', random: 0 })
  await client.until('open')
  await publish(first.url, 'killed', ...numbered(0, 5))
  await client.untilData(numbered(0, 5))

  const killedAt = Date.now()
  await first.stop()
  // Waits for one failed attempt, however soon the next server is ready.
  await expect.poll(async () => (await client.recorded()).errors.length).toBeGreaterThan(1)
  const second = await start({ port: Number(new URL(first.url).port) })
  await publish(second.url, 'killed', ...numbered(5, 10))
  await client.untilData(numbered(0, 10))

  const { gaps, errors } = await client.recorded()
  expect(gaps).toEqual([])
  expect(errors[0]?.kind).toBe('lost')
  expect(errors[1]?.kind).toBe('unreachable')
  // A server that has only just started asks to come back.
  for (const { kind } of errors.slice(2)) expect(['unreachable', 'asked']).toContain(kind)
  // It waited at least a quarter of a second before each attempt, one of which found the server.
  expect(errors.length).toBeLessThanOrEqual((Date.now() - killedAt) / 250)
  // Chromium itself may repeat a request that breaks without an answer.
  expect(origin.requests.length).toBeLessThanOrEqual(2 + 2 * (errors.length - 1))
})

test('A quiet connection with heartbeats is left alone; one that is dead but not closed is replaced', async ({
  page,
  originOf,
  start,
}) => {
  const server = await start({ env: { HEARTBEAT: '1s', STALL: '4s' } })
  const origin = await originOf(server.url)
  const client = await openClient(page, origin.url, { url: '/events/half-open', random: 0 })
  await client.until('open')
  await publish(server.url, 'half-open', 'before')
  await client.untilData(['before'])
  await page.waitForTimeout(4_000)
  expect(origin.requests).toHaveLength(1)

  origin.swallow()
  await publish(server.url, 'half-open', 'swallowed')
  await client.untilData(['before', 'swallowed'])

  const { errors, steps } = await client.recorded()
  expect(errors).toMatchObject([{ kind: 'silent' }])
  expect(steps.map(({ status }) => status)).toEqual([
    'connecting',
    'open',
    'reconnecting',
    'reconnecting',
    'connecting',
    'open',
  ])
  expect(origin.requests).toHaveLength(2)
  await expect.poll(origin.pending).toBe(1)
})

test('Where nobody listens, the waits double up to half a minute; once somebody does, it opens', async ({
  page,
  originOf,
  server,
}) => {
  await stopClock(page)
  const origin = await originOf(server.url)
  const client = await openClient(page, origin.url, { url: '/events/refused' })
  await client.until('open')
  await publish(server.url, 'refused', 'before')
  await client.untilData(['before'])

  await origin.refuse()
  for (let attempt = 1; attempt <= 8; attempt++) {
    const { waitMs, ...step } = await client.wait(attempt)
    const error = attempt === 1 ? 'lost' : 'unreachable'
    expect(step).toEqual({ status: 'reconnecting', attempt, error })
    expect(waitMs).toBeGreaterThanOrEqual(250)
    expect(waitMs).toBeLessThanOrEqual(longestWaitMs(attempt))
    if (attempt === 8) {
      await origin.listen()
      await publish(server.url, 'refused', 'meanwhile')
    }
    await page.clock.fastForward(waitMs)
  }

  await client.untilData(['before', 'meanwhile'])
  expect(origin.requests).toHaveLength(2)
  expect((await client.path()).filter((status) => status === 'connecting')).toHaveLength(9)
})

test('An answer that does not come in time is not waited for', async ({
  page,
  originOf,
  server,
}) => {
  const origin = await originOf(server.url)
  origin.answer = () => {}
  const client = await openClient(page, origin.url, {
    url: '/events/slow',
    connectTimeoutMs: 400,
    random: 0,
  })
  await expect.poll(() => origin.requests.length).toBeGreaterThanOrEqual(3)

  origin.answer = origin.pass
  await client.until('open')

  const { steps, errors } = await client.recorded()
  expect(new Set(errors.map(({ kind }) => kind))).toEqual(new Set(['unreachable']))
  expect(origin.requests).toHaveLength(errors.length + 1)
  expect(steps.at(-1)).toMatchObject({ status: 'open' })
  await expect.poll(origin.pending).toBe(1)
})

test('An answer that is slow but comes in time is taken, in one request', async ({
  page,
  originOf,
  server,
}) => {
  const origin = await originOf(server.url)
  origin.answer = (request, response) => {
    setTimeout(() => origin.pass(request, response), 700)
  }

  const client = await openClient(page, origin.url, { url: '/events/slow' })
  await client.until('open')

  expect(await client.path()).toEqual(['connecting', 'open'])
  expect(origin.requests).toHaveLength(1)
})

test('A page that is offline for a while gets what it missed', async ({
  page,
  context,
  originOf,
  server,
}) => {
  const origin = await originOf(server.url)
  const client = await openClient(page, origin.url, { url: '/events/offline', random: 0 })
  await client.until('open')
  await publish(server.url, 'offline', 'before')
  await client.untilData(['before'])

  await context.setOffline(true)
  await publish(server.url, 'offline', 'meanwhile')
  await context.setOffline(false)
  await publish(server.url, 'offline', 'after')

  await client.untilData(['before', 'meanwhile', 'after'])
  expect(origin.requests.length).toBeLessThanOrEqual(2)
})

test('A connection lost while offline is asked for seldom, and at once when the network is back', async ({
  page,
  context,
  originOf,
  server,
}) => {
  await stopClock(page)
  const origin = await originOf(server.url)
  const client = await openClient(page, origin.url, { url: '/events/paused' })
  await client.until('open')
  await publish(server.url, 'paused', 'before')
  await client.untilData(['before'])

  await context.setOffline(true)
  await origin.refuse()
  await client.until('paused')
  await origin.listen()
  await publish(server.url, 'paused', 'meanwhile')
  const asked = async (): Promise<number> =>
    (await client.recorded()).steps.filter(({ status }) => status === 'connecting').length
  for (let minute = 0; minute < 3; minute++) {
    const before = await asked()
    await page.clock.fastForward(29_000)
    expect(await asked()).toBe(before)
    await page.clock.fastForward(1_000)
    await expect.poll(asked).toBe(before + 1)
    await client.until('paused')
  }
  expect(origin.requests).toHaveLength(1)
  await context.setOffline(false)

  await client.untilData(['before', 'meanwhile'])
  expect(origin.requests).toHaveLength(2)
})

test('Where the browser calls itself offline, a server on this machine is found again, and Start asks it', async ({
  page,
  originOf,
  server,
}) => {
  // As with loopback alone.
  await page.addInitScript(() => Object.defineProperty(navigator, 'onLine', { value: false }))
  await stopClock(page)
  const origin = await originOf(server.url)
  const client = await openClient(page, origin.url, { url: '/events/loopback' })
  await client.until('open')

  await origin.refuse()
  await client.until('paused')
  await origin.listen()
  await publish(server.url, 'loopback', 'meanwhile')
  await page.clock.fastForward(30_000)
  await client.untilData(['meanwhile'])
  await client.call('close')
  await client.call('open')
  await client.until('open')

  expect(origin.requests).toHaveLength(3)
})
