/** The client in a real Chromium that keeps the pages it leaves, in its back/forward cache. */
import { findBrowser } from '../../test/programs/find-browser'
import { openClient } from '../../test/pages/client-page'
import { expect, test } from '../../test/fixtures/client-test'
import { publish } from '../../test/requests/publish'
import { signIn } from '../../test/requests/sign-in'
import { streamOf } from '../../test/servers/stream-origin'

test.use({
  launchOptions: {
    executablePath: findBrowser(),
    args: [
      '--enable-features=BackForwardCache',
      // Chromium refuses to run as root inside its own sandbox.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ],
    // Playwright turns the cache off.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  },
})

test('A page that is left is kept, without its connection, and goes on when the reader comes back', async ({
  page,
  originOf,
}) => {
  const origin = await originOf()
  origin.answer = streamOf('id: one\ndata: before\n\n')
  const client = await openClient(page, origin.url, { url: '/events' })
  await client.untilData(['before'])
  await page.evaluate(() => {
    addEventListener('pageshow', ({ persisted }) => (document.title = `persisted: ${persisted}`))
  })

  await page.goto(`${origin.url}/client?another`)
  await expect.poll(origin.pending).toBe(0)
  origin.answer = streamOf('id: two\ndata: meanwhile\n\n')
  await page.goBack({ waitUntil: 'commit' })

  await client.untilData(['before', 'meanwhile'])
  await expect(page).toHaveTitle('persisted: true')
  expect(await client.path()).toEqual(['connecting', 'open', 'paused', 'connecting', 'open'])
  expect(origin.requests.map(({ url }) => url)).toEqual(['/events', '/events?lastEventId=one'])
})

/** Signs the next person in where Ana was: Bob, or nobody. */
const next = { bob: 'Bob has logged in', nobody: 'she has logged out' } as const

for (const [who, name] of Object.entries(next)) {
  test(`Ana’s page, gone back to after ${name}, gets nothing that came since`, async ({
    page,
    context,
    originOf,
    start,
  }) => {
    const server = await start({ env: { PUBLIC_TOPICS: '' } })
    const origin = await originOf(server.url)
    await signIn(context, origin.url, 'ana', 'private.*')
    const client = await openClient(page, origin.url, { url: '/events/private.x' })
    await client.until('open')
    await publish(server.url, 'private.x', 'before')
    await client.untilData(['before'])

    await page.goto(`${origin.url}/client?another`)
    if (who === 'bob') await signIn(context, origin.url, who, 'private.*')
    else await context.clearCookies()
    await publish(server.url, 'private.x', 'since')
    await page.goBack({ waitUntil: 'commit' })

    await client.until('failed')
    expect(await client.data()).toEqual(['before'])
    await expect.poll(origin.pending).toBe(0)
  })

  test(`Ana’s page, gone back to beside another of hers that shares its stream, after ${name}, gets nothing that came since`, async ({
    page,
    context,
    originOf,
    start,
    transport,
  }) => {
    const server = await start({ env: { PUBLIC_TOPICS: '' } })
    const origin = await originOf(server.url)
    await signIn(context, origin.url, 'ana', 'private.*')
    const options = { url: '/events/private.x', isShared: true }
    const client = await openClient(page, origin.url, options)
    await client.until('open')
    const other = await openClient(await context.newPage(), origin.url, options)
    await other.until('open')
    // A stream that is read by `fetch` is not shared.
    expect(origin.pending()).toBe(transport === 'fetch' ? 2 : 1)
    await publish(server.url, 'private.x', 'before')
    await client.untilData(['before'])
    await page.evaluate(() => {
      addEventListener('pageshow', ({ persisted }) => (document.title = `persisted: ${persisted}`))
    })

    await page.goto(`${origin.url}/client?another`)
    if (who === 'bob') await signIn(context, origin.url, who, 'private.*')
    else await context.clearCookies()
    // The other page goes on as Ana for as long as its stream was granted.
    await publish(server.url, 'private.x', 'since')
    await other.untilData(['before', 'since'])
    await page.goBack({ waitUntil: 'commit' })
    await client.until('failed')
    await publish(server.url, 'private.x', 'later')

    await expect(page).toHaveTitle('persisted: true')
    expect(await client.data()).toEqual(['before'])
    const { error } = await client.state()
    expect(error).toMatchObject(who === 'bob' ? { kind: 'reader' } : { status: 401 })
    // Once the worker knows that the browser is Bob's, it reads no more for Ana.
    if (who === 'bob' && transport !== 'fetch') {
      await other.until('failed')
      expect(await other.state()).toMatchObject({ error: { kind: 'reader' } })
      expect(await other.data()).toEqual(['before', 'since'])
      expect(origin.pending()).toBe(0)
    } else await other.untilData(['before', 'since', 'later'])
  })
}
