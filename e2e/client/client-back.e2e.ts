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

for (const { name, next } of [
  { name: 'Bob has logged in', next: 'bob' },
  { name: 'she has logged out', next: undefined },
]) {
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
    if (next) await signIn(context, origin.url, next, 'private.*')
    else await context.clearCookies()
    await publish(server.url, 'private.x', 'since')
    await page.goBack({ waitUntil: 'commit' })

    await client.until('failed')
    expect(await client.data()).toEqual(['before'])
    await expect.poll(origin.pending).toBe(0)
  })
}
