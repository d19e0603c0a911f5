/** The client in a real Chromium, when the server does not answer with a stream, or tells the client to come back or to stop. */
import { longestWaitMs, openClient, stopClock } from '../../test/pages/client-page'
import { expect, test } from '../../test/fixtures/client-test'
import { answerWith, streamOf, type Answer } from '../../test/servers/stream-origin'

const problem = { 'Content-Type': 'application/problem+json' }
const tenMinutes = 10 * 60_000

for (const status of [502, 429]) {
  test(`${status} for a while, then an answer: the stream opens by itself`, async ({
    page,
    originOf,
    requestsForReason,
  }) => {
    const origin = await originOf()
    origin.answer = answerWith(status)
    const client = await openClient(page, origin.url, { url: '/events', random: 0 })
    await expect.poll(() => origin.requests.length).toBeGreaterThanOrEqual(4)

    origin.answer = streamOf('data: here\n\n')
    await client.untilData(['here'])

    const { steps, errors } = await client.recorded()
    expect(errors[0]).toMatchObject({ kind: 'refused', status })
    expect(steps.at(-1)).toMatchObject({ status: 'open' })
    const opened = steps.filter(({ status: step }) => step === 'connecting').length
    expect(origin.requests).toHaveLength(opened + errors.length * (requestsForReason - 1))
    expect(errors.length).toBeLessThanOrEqual(opened)
  })
}

test('Retry-After is kept to', async ({ page, originOf, requestsForReason }) => {
  const origin = await originOf()
  const [refuse, stream] = [answerWith(503, { 'Retry-After': '2' }), streamOf('data: here\n\n')]
  origin.answer = (...asked) =>
    (origin.requests.length <= requestsForReason ? refuse : stream)(...asked)
  const client = await openClient(page, origin.url, { url: '/events', random: 0 })
  await client.untilData(['here'])

  expect(origin.requests).toHaveLength(requestsForReason + 1)
  const [told, asked] = origin.requests.map(({ at }) => at).slice(-2)
  expect((asked ?? 0) - (told ?? 0)).toBeGreaterThanOrEqual(1_950)
})

test('Retry-After of a month does not make a storm', async ({
  page,
  originOf,
  requestsForReason,
}) => {
  const origin = await originOf()
  origin.answer = answerWith(503, { 'Retry-After': '2592000' })

  const client = await openClient(page, origin.url, { url: '/events', random: 0 })
  await expect.poll(async () => (await client.state()).retryAt).toBeDefined()
  await page.waitForTimeout(1_500)

  expect(origin.requests).toHaveLength(requestsForReason)
})

const finals: { name: string; answer: Answer; error: object }[] = [
  {
    name: '401',
    answer: answerWith(401, problem, '{"status":401,"code":"sign-in","detail":"Sign in first."}'),
    error: { kind: 'refused', status: 401, code: 'sign-in', message: 'Sign in first.' },
  },
  { name: '403', answer: answerWith(403), error: { kind: 'refused', status: 403 } },
  {
    name: 'A page of HTML instead of a stream',
    answer: answerWith(200, { 'Content-Type': 'text/html' }, '<h1>Portal</h1>'),
    error: { kind: 'refused', status: 200 },
  },
]

for (const { name, answer, error } of finals) {
  test(`${name} fails for good, and nothing follows before open()`, async ({
    page,
    originOf,
    requestsForReason,
  }) => {
    await page.clock.install()
    const origin = await originOf()
    origin.answer = answer
    const client = await openClient(page, origin.url, { url: '/events' })
    await client.until('failed')
    expect(await client.state()).toMatchObject({ readyState: 2, error })

    await page.clock.fastForward(tenMinutes)
    await page.evaluate(() => dispatchEvent(new Event('online')))
    await page.evaluate(() => fetch('/client'))
    expect(origin.requests).toHaveLength(requestsForReason)
    const asking = requestsForReason === 2 ? ['reconnecting'] : []
    expect(await client.path()).toEqual(['connecting', ...asking, 'failed'])

    origin.answer = streamOf('data: here\n\n')
    await client.call('open')
    await client.untilData(['here'])
    expect(origin.requests).toHaveLength(requestsForReason + 1)
  })
}

for (const { name, answer, isRefusal } of [
  { name: '204', answer: answerWith(204), isRefusal: true },
  { name: 'An end', answer: streamOf('data: last\n\nevent: end\ndata: {}\n\n'), isRefusal: false },
]) {
  test(`${name} closes the stream as the server’s doing, and nothing follows`, async ({
    page,
    originOf,
    requestsForReason,
  }) => {
    await page.clock.install()
    const origin = await originOf()
    origin.answer = answer
    const client = await openClient(page, origin.url, { url: '/events' })
    await client.until('closed')
    await page.clock.fastForward(tenMinutes)
    await page.evaluate(() => fetch('/client'))

    expect(await client.state()).toMatchObject({ closedBy: 'server', lastEventId: '' })
    expect((await client.state()).error).toBeUndefined()
    expect(origin.requests).toHaveLength(isRefusal ? requestsForReason : 1)
    expect(origin.pending()).toBe(0)
  })
}

test('A server that asks to come back later is asked no sooner', async ({ page, originOf }) => {
  const origin = await originOf()
  const later = streamOf('event: reconnect\ndata: {"retryMs":1500,"reason":"unavailable"}\n\n')
  const stream = streamOf('data: here\n\n')
  origin.answer = (...asked) => (origin.requests.length === 1 ? later : stream)(...asked)
  const client = await openClient(page, origin.url, { url: '/events', random: 0 })
  await client.untilData(['here'])

  const [first, second] = origin.requests.map(({ at }) => at)
  expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(1_450)
  expect(origin.requests).toHaveLength(2)
  expect((await client.recorded()).errors).toMatchObject([{ kind: 'asked' }])
})

test('With maxAttempts it gives up, after as many requests', async ({ page, originOf }) => {
  const origin = await originOf()
  origin.answer = answerWith(503)

  const client = await openClient(page, origin.url, { url: '/events', maxAttempts: 4, random: 0 })
  await client.until('failed')

  expect((await client.state()).error?.kind).toBe('unreachable')
  expect(origin.requests).toHaveLength(4)
})

test('Streams that break at once are not forgiven: the waits grow all the same', async ({
  page,
  originOf,
}) => {
  await stopClock(page)
  const origin = await originOf()
  origin.answer = answerWith(200, { 'Content-Type': 'text/event-stream' }, 'data: brief\n\n')
  const client = await openClient(page, origin.url, { url: '/events', random: 1 })

  for (let attempt = 1; attempt <= 6; attempt++) {
    const { waitMs, ...step } = await client.wait(attempt)
    expect(step).toEqual({ status: 'reconnecting', attempt, error: 'lost' })
    expect(waitMs).toBe(longestWaitMs(attempt))
    expect(origin.requests).toHaveLength(attempt)
    await page.clock.fastForward(waitMs)
  }
})
