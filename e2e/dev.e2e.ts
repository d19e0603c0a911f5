/** The same buttons under `next dev`, where StrictMode mounts every component twice. */
import { expect, test } from './support/test'
import { startServer } from './support/start-server'

// `next dev` itself warns of style sheets that it preloads and then loads by another address.
test.use({ toleratedComplaint: /was preloaded using link preload but not used/ })

test('Start, Stop and Clear do what they say under next dev', async ({ page }) => {
  test.setTimeout(90_000)
  const server = await startServer({ command: 'dev' })
  try {
    const requests: string[] = []
    page.on('request', (request) => {
      if (new URL(request.url()).pathname === '/events') requests.push(request.url())
    })
    const events = page.getByRole('log', { name: 'Events' }).getByRole('listitem')
    const status = page.getByRole('status').first()
    await page.goto(server.url)
    await expect(events.first()).toContainText('Hi there', { timeout: 30_000 })

    await page.getByRole('button', { name: 'Stop' }).click()
    await expect(status).toContainText('Stopped')
    await expect.poll(server.openStreams).toBe(0)

    await page.getByRole('button', { name: 'Clear' }).click()
    await expect(events).toHaveCount(0)

    await page.getByRole('button', { name: 'Start' }).click()
    await expect(status).toContainText('Ended', { timeout: 15_000 })
    await expect(events).toHaveText([/Hi there/, /How are you\?/, /I am fine/])
    expect(requests).toHaveLength(2)
  } finally {
    await server.stop()
  }
})
