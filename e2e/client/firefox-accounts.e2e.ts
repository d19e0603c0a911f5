/**
 * Two people at one Firefox, in every order: neither sees what came for the other. Chromium's tests are in client-accounts.e2e.ts and
 * client-back.e2e.ts; Firefox has no command that freezes a tab.
 */
import { expect, test as base } from '../../test/fixtures/server-test'
import { openClient, type ClientInPage } from '../../test/pages/client-page'
import { openFirefox, type Firefox } from '../../test/pages/firefox'
import { findOnPath } from '../../test/programs/find-program'
import { publish } from '../../test/requests/publish'
import { signIn } from '../../test/requests/sign-in'
import { startStreamOrigin, type StreamOrigin } from '../../test/servers/stream-origin'

const program = findOnPath('firefox-esr', 'firefox')
const topic = 'private.x'

interface Setting {
  firefox: Firefox
  origin: StreamOrigin
  /** Signs a person in, or everybody out. */
  enter: (who: 'ana' | 'bob' | 'nobody') => Promise<void>
}

const test = base.extend<{ setting: Setting }>({
  setting: async ({ start }, use) => {
    const { url } = await start({
      env: { STREAM_MAX_AGE: '2s', HEARTBEAT: '500ms', STALL: '60s', PUBLIC_TOPICS: '' },
    })
    const origin = await startStreamOrigin(url)
    const firefox = await openFirefox(program ?? '')
    await use({
      firefox,
      origin,
      enter: (who) =>
        who === 'nobody' ? firefox.clearCookies() : signIn(firefox, origin.url, who, 'private.*'),
    })
    await firefox.close()
    await origin.close()
  },
})
test.skip(program === undefined, 'There is no Firefox on this machine.')
for (const isShared of [false, true]) {
  const options = { url: `/events/${topic}`, random: 0, isShared }

  test.describe(`in Firefox, ${isShared ? 'with a shared stream' : 'with a stream of its own'} @soak-only`, () => {
    /** Ana's client in a tab of its own, which has one event. */
    async function openAnas({ firefox, origin, enter }: Setting) {
      await enter('ana')
      const page = await firefox.newPage()
      const client = await openClient(page, origin.url, options)
      await client.until('open')
      await publish(origin.url, topic, 'while Ana is here')
      await client.untilData(['while Ana is here'])
      return { page, client }
    }

    async function expectOthersAccount(client: ClientInPage): Promise<void> {
      await client.until('failed')
      expect(await client.state()).toMatchObject({ error: { kind: 'reader' } })
      expect(await client.data()).toEqual(['while Ana is here'])
    }

    test('Ana’s client, left open while Bob logs in, gets nothing that comes for Bob', async ({
      setting,
    }) => {
      const { client } = await openAnas(setting)

      await setting.enter('bob')
      await client.until('failed')
      await publish(setting.origin.url, topic, 'while Bob is here')

      await expectOthersAccount(client)
      await expect.poll(setting.origin.pending).toBe(0)
    })

    test('Bob’s client beside Ana’s: each gets what comes while its person is signed in', async ({
      setting,
    }) => {
      const { firefox, origin, enter } = setting
      const { client } = await openAnas(setting)

      await enter('bob')
      const bobs = await openClient(await firefox.newPage(), origin.url, options)
      await bobs.until('open')
      await client.until('failed')
      await publish(origin.url, topic, 'while Bob is here')

      await bobs.untilData(['while Bob is here'])
      await expectOthersAccount(client)
    })

    for (const who of ['bob', 'nobody'] as const) {
      test(`Ana’s page, gone back to with ${who} signed in, has nothing of hers any more`, async ({
        setting,
      }) => {
        const { origin, enter } = setting
        const { page, client } = await openAnas(setting)

        await page.goto(`${origin.url}/client?another`)
        await enter(who)
        await publish(origin.url, topic, 'since')
        await page.goBack()

        // Firefox keeps no page that has a stream open when it is left: it loads the page again.
        await expect.poll(() => page.evaluate(() => location.search)).toBe('')
        expect(await page.evaluate(() => typeof window.client)).toBe('undefined')
        await page.evaluate((given) => window.startClient(given), options)
        if (who === 'bob') {
          await client.until('open')
          await publish(origin.url, topic, 'while Bob is here')
          await client.untilData(['while Bob is here'])
        } else {
          await client.until('failed')
          expect(await client.state()).toMatchObject({ error: { status: 401 } })
          expect(await client.data()).toEqual([])
        }
      })
    }
  })
}
