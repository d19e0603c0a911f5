/** A topic's page, as its readers use it: in a real Chromium, against `next start`. */
import { AxeBuilder } from '@axe-core/playwright'
import { expect, test } from '../../test/fixtures/topic-test'
import { parts, publishByForm } from '../../test/pages/topic-page'
import { publish } from '../../test/requests/publish'
import { asPublisher } from '../../test/requests/publisher'

test('Two windows on a topic see each other’s messages', async ({ page, context, topic }) => {
  const other = await context.newPage()
  for (const window of [page, other]) {
    await window.goto(`/topics/${topic}`)
    await expect(parts(window).status).toContainText('Live')
  }
  await expect(page).toHaveTitle(`${topic} · next-sse`)
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(topic)
  await expect(page.getByText('No events yet')).toBeVisible()

  await publishByForm(page, 'from one')
  await publishByForm(other, 'from the other')

  for (const window of [page, other]) {
    await expect(parts(window).events).toHaveText([/from one/, /from the other/])
  }
})

test('Opening the page again shows the last hundred events', async ({ page, server, topic }) => {
  const texts = Array.from({ length: 105 }, (_, index) => `event ${index + 1}.`)
  await publish(server.url, topic, ...texts)
  const { events, log } = parts(page)

  await page.goto(`/topics/${topic}`)
  for (const open of [() => Promise.resolve(), () => page.reload()]) {
    await open()
    await expect(events.last()).toContainText('event 105.')
    await expect(events.last()).toHaveAttribute('aria-setsize', '100')
    await log.press('Home')
    await expect(events.first()).toContainText('event 6.')
  }
})

test('Start after Stop brings what was published meanwhile, once', async ({
  page,
  server,
  topic,
}) => {
  const { start, stop, status, events } = parts(page)
  await page.goto(`/topics/${topic}`)
  await expect(status).toContainText('Live')
  await publish(server.url, topic, 'before')
  await expect(events).toHaveText([/before/])

  await stop.click()
  await expect(status).toContainText('Stopped')
  await expect.poll(server.openStreams).toBe(0)
  await publish(server.url, topic, 'meanwhile')
  await expect(events).toHaveText([/before/])
  await start.click()
  await expect(status).toContainText('Live')
  await publish(server.url, topic, 'after')

  await expect(events).toHaveText([/before/, /meanwhile/, /after/])
})

test('Clear empties the view alone: the stream goes on, and the topic keeps its events', async ({
  page,
  server,
  topic,
}) => {
  const { clear, status, events } = parts(page)
  await page.goto(`/topics/${topic}`)
  await expect(status).toContainText('Live')
  await publish(server.url, topic, 'one')
  await expect(events).toHaveText([/one/])

  await clear.click()

  await expect(events).toHaveCount(0)
  await expect(clear).toBeDisabled()
  await expect(status).toContainText('Live')
  await publish(server.url, topic, 'two')
  await expect(events).toHaveText([/two/])
  await page.reload()
  await expect(events).toHaveText([/one/, /two/])
})

test('The newest event is in view, unless the reader looks back', async ({
  page,
  server,
  topic,
}) => {
  const { log, events } = parts(page)
  await publish(server.url, topic, ...Array.from({ length: 60 }, (_, index) => `event ${index}.`))
  await page.goto(`/topics/${topic}`)
  await expect(events.last()).toBeInViewport()
  await publish(server.url, topic, 'followed')
  await expect(events.filter({ hasText: 'followed' })).toBeInViewport()

  await log.focus()
  await page.keyboard.press('Home')
  await expect(events.first()).toBeInViewport()
  await publish(server.url, topic, 'not followed')

  await expect(page.getByRole('button', { name: '1 new' })).toBeVisible()
  await expect(events.filter({ hasText: 'not followed' })).not.toBeInViewport()
  await expect(events.first()).toBeInViewport()
})

test('An event is shown with its type, its id and the time of its publishing', async ({
  page,
  server,
  topic,
}) => {
  const { events } = parts(page)
  const before = Date.now()
  const response = await fetch(`${server.url}/events/${topic}?type=order.paid`, {
    method: 'POST',
    headers: asPublisher,
    body: 'paid',
  })
  const after = Date.now()
  const { ids } = (await response.json()) as { ids: [string] }
  await page.clock.setFixedTime(after + 3_600_000)

  await page.goto(`/topics/${topic}`)

  await expect(events).toContainText(`order.paid paid id ${ids[0].split('.')[1]}`)
  const published = Date.parse((await events.locator('time').getAttribute('datetime')) ?? '')
  expect(published).toBeGreaterThanOrEqual(before)
  expect(published).toBeLessThanOrEqual(after)
})

test('Data is text, whatever is in it', async ({ page, server, topic }) => {
  const hostile = '<img src=x onerror="document.title=\'owned\'"><script>alert(1)</script>'
  await publish(server.url, topic, hostile)

  await page.goto(`/topics/${topic}`)
  await expect(parts(page).events).toContainText(hostile)
  await publishByForm(page, hostile)

  await expect(parts(page).events).toHaveCount(2)
  await expect(page.locator('img')).toHaveCount(0)
  await expect(page).toHaveTitle(`${topic} · next-sse`)
})

test.describe('A name that no topic can have', () => {
  test.use({ toleratedComplaint: /Failed to load resource/ })

  for (const name of ['-demo', 'a,b', 'a%20b', '%C3%BC', 'x'.repeat(65)]) {
    test(`${name} is no page`, async ({ page }) => {
      const response = await page.goto(`/topics/${name}`)

      expect(response?.status()).toBe(404)
      await expect(page.getByRole('heading', { name: 'No such page' })).toBeVisible()
    })
  }
})

test.describe('Without JavaScript', () => {
  test.use({ javaScriptEnabled: false })

  test('the page says what is missing, and what to do in a terminal', async ({
    page,
    server,
    topic,
  }) => {
    await page.goto(`/topics/${topic}`)

    await expect(page.getByRole('heading', { level: 1 })).toHaveText(topic)
    await expect(page.getByText(/needs JavaScript/)).toBeVisible()
    const command = `curl -N ${new URL(server.url).host}/events/${topic}`
    await expect(page.getByText(command).first()).toBeVisible()
    await expect(parts(page).start).toBeHidden()
    await expect(parts(page).publishButton).toBeHidden()
  })
})

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(`In ${colorScheme}`, () => {
    test.use({ colorScheme })

    for (const width of [1280, 320]) {
      test(`axe finds nothing at ${width} px, and nothing scrolls sideways`, async ({
        page,
        server,
        topic,
      }) => {
        const long = `${topic}-${'n'.repeat(20)}`
        await page.setViewportSize({ width, height: 900 })
        await publish(server.url, long, 'short', 'w'.repeat(500), JSON.stringify({ a: [1, 2, 3] }))
        await page.goto(`/topics/${long}`)
        await expect(parts(page).events).toHaveCount(3)
        if (width === 320) await parts(page).fold.click()
        await publishByForm(page, 'one\ntwo')

        const { violations } = await new AxeBuilder({ page }).analyze()

        expect(violations).toEqual([])
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width)
      })
    }
  })
}
