/**
 * Two people at one browser, whose pages do not share a stream: neither sees what came for the other. Pages that share one are in
 * access/accounts.e2e.ts.
 */
import type { BrowserContext, Page } from 'playwright/test'
import { expect, test } from '../../test/fixtures/client-test'
import { openClient, type ClientInPage } from '../../test/pages/client-page'
import { publish } from '../../test/requests/publish'
import { signIn } from '../../test/requests/sign-in'
import type { RunningServer } from '../../test/servers/start-server'
import type { StreamOrigin } from '../../test/servers/stream-origin'

const topic = 'private.x'

interface Setting {
  server: RunningServer
  origin: StreamOrigin
  /** Signs a person in, who may read the topic. */
  enter: (who: 'ana' | 'bob') => Promise<void>
  /** Opens a client in a tab. */
  openIn: (tab: Page) => Promise<ClientInPage>
}

/** A server whose streams reconnect often, because any connection can be lost, behind an origin. */
async function setUp(
  context: BrowserContext,
  start: () => Promise<RunningServer>,
  originOf: (app: string) => Promise<StreamOrigin>,
): Promise<Setting> {
  const server = await start()
  const origin = await originOf(server.url)
  return {
    server,
    origin,
    enter: (who) => signIn(context, origin.url, who, 'private.*'),
    openIn: (tab) => openClient(tab, origin.url, { url: `/events/${topic}`, random: 0 }),
  }
}

const env = { STREAM_MAX_AGE: '2s', HEARTBEAT: '500ms', STALL: '60s', PUBLIC_TOPICS: '' }

/** Until the page has been told that it has another reader now; then it asks no more. */
async function untilStrange(client: ClientInPage, { origin }: Setting): Promise<void> {
  await client.until('failed')
  expect(await client.state()).toMatchObject({ error: { kind: 'reader' }, lastEventId: '' })
  await expect.poll(origin.pending).toBe(0)
}

test('Ana’s client, left open while Bob logs in, gets nothing that comes for Bob', async ({
  page,
  context,
  start,
  originOf,
}) => {
  const setting = await setUp(context, () => start({ env }), originOf)
  const { server, origin, enter, openIn } = setting
  await enter('ana')
  const anas = await openIn(page)
  await anas.until('open')
  await publish(server.url, topic, 'while Ana is here')
  await anas.untilData(['while Ana is here'])

  await enter('bob')
  await untilStrange(anas, setting)
  const { length } = origin.requests
  await publish(server.url, topic, 'while Bob is here')
  await page.evaluate(() => dispatchEvent(new Event('online')))
  await page.evaluate(() => fetch('/client'))

  expect(await anas.data()).toEqual(['while Ana is here'])
  expect(origin.requests).toHaveLength(length)
})

test('Bob’s client beside Ana’s: each gets what comes while its person is signed in', async ({
  page,
  context,
  start,
  originOf,
}) => {
  const setting = await setUp(context, () => start({ env }), originOf)
  const { server, enter, openIn } = setting
  await enter('ana')
  const anas = await openIn(page)
  await anas.until('open')
  await publish(server.url, topic, 'while Ana is here')
  await anas.untilData(['while Ana is here'])

  await enter('bob')
  const bobs = await openIn(await context.newPage())
  await bobs.until('open')
  await anas.until('failed')
  await publish(server.url, topic, 'while Bob is here')
  await bobs.untilData(['while Bob is here'])

  expect(await anas.data()).toEqual(['while Ana is here'])
  expect(await anas.state()).toMatchObject({ error: { kind: 'reader' } })
})

test('Ana’s client, frozen while Bob logs in, gets nothing that comes for Bob', async ({
  page,
  context,
  start,
  originOf,
}) => {
  const setting = await setUp(context, () => start({ env }), originOf)
  const { server, origin, enter, openIn } = setting
  await enter('ana')
  const anas = await openIn(page)
  await anas.until('open')
  await publish(server.url, topic, 'while Ana is here')
  await anas.untilData(['while Ana is here'])

  const browser = await context.newCDPSession(page)
  await browser.send('Page.setWebLifecycleState', { state: 'frozen' })
  await enter('bob')
  // Until the server has ended the stream that it granted to Ana.
  await expect.poll(origin.pending, { timeout: 10_000 }).toBe(0)
  await publish(server.url, topic, 'while Bob is here')
  await browser.send('Page.setWebLifecycleState', { state: 'active' })

  await untilStrange(anas, setting)
  expect(await anas.data()).toEqual(['while Ana is here'])
})
