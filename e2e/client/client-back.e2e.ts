/** The client in a real Chromium that keeps the pages it leaves, in its back/forward cache. */
import { findBrowser } from '../../test/programs/find-browser'
import { openClient } from '../../test/pages/client-page'
import { expect, test } from '../../test/fixtures/client-test'
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
