/** The pages of a server that restricts reading and publishing, in a real Chromium. */
import { asPublisher, signToken } from '../../test/requests/publisher'
import { sendRequest } from '../../test/requests/send-request'
import { expect, test } from '../../test/fixtures/page-test'

// Chromium prints every refusal by itself.
test.use({ toleratedComplaint: /Failed to load resource/ })

test('Without a secret the form says which variable to set', async ({ page, start }) => {
  const server = await start({ env: { EVENTS_JWT_SECRET: '' } })
  await page.goto(`${server.url}/topics/news`)
  await expect(page.getByRole('status').first()).toContainText('Live')

  await page.getByRole('textbox', { name: 'Data' }).fill('hello')
  await page.getByRole('button', { name: 'Publish' }).click()

  await expect(page.getByText('EVENTS_JWT_SECRET')).toBeVisible()
  await expect(page.getByRole('textbox', { name: 'Data' })).toHaveValue('hello')
})

test('Without a secret a topic that is not public says which variables to set', async ({
  page,
  start,
}) => {
  const server = await start({ env: { EVENTS_JWT_SECRET: '', PUBLIC_TOPICS: 'open.*' } })

  await page.goto(`${server.url}/topics/news`)

  await expect(page.getByRole('status').first()).toContainText('Refused (not allowed)')
  await expect(page.getByText('You may not read this topic', { exact: true })).toBeVisible()
  await expect(
    page.getByText(/news is not public: .*PUBLIC_TOPICS.*EVENTS_JWT_SECRET/),
  ).toBeVisible()
})

test.describe('When its cookie expires', () => {
  for (const { renewed, end } of [
    { renewed: true, end: 'goes on with the one that it then has' },
    { renewed: false, end: 'says that somebody must sign in' },
  ]) {
    test(`a page ${end}`, async ({ page, context, start }) => {
      const server = await start({ env: { PUBLIC_TOPICS: '', HEARTBEAT: '500ms', STALL: '10s' } })
      const setToken = async (seconds: number): Promise<void> => {
        const exp = Math.floor(Date.now() / 1_000) + seconds
        const value = signToken({ exp, events: { subscribe: ['news'] } })
        await context.addCookies([{ name: 'events_token', value, url: server.url }])
      }
      const publish = (body: string) =>
        sendRequest(server.url, '/events/news', { method: 'POST', headers: asPublisher, body })
      const status = page.getByRole('status').first()
      const events = page.getByRole('log', { name: 'Events' }).getByRole('listitem')
      await context.clearCookies()
      await setToken(3_600)
      await page.goto(`${server.url}/topics/news`)
      await expect(status).toContainText('Live')
      await publish('one')
      await expect(events).toHaveText([/one/])
      await page.getByRole('button', { name: 'Stop' }).click()

      await setToken(6)
      await page.getByRole('button', { name: 'Start' }).click()
      await expect(status).toContainText('Live')
      await (renewed ? setToken(3_600) : context.clearCookies())
      await expect(status).not.toContainText('Live', { timeout: 10_000 })
      await publish('two')

      await expect(status).toContainText(renewed ? 'Live' : 'sign in first', { timeout: 10_000 })
      await expect(events).toHaveText(renewed ? [/one/, /two/] : [/one/])
      expect(await server.openStreams()).toBe(renewed ? 1 : 0)
    })
  }
})
