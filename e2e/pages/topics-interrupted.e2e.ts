/** A topic's page when the server, the log, the permission or the network is gone for a while. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { expect, test } from '../../test/fixtures/topic-test'
import { parts, publishByForm } from '../../test/pages/topic-page'
import { removeSharedWorker } from '../../test/pages/remove-shared-worker'
import { publish } from '../../test/requests/publish'
import { asPublisher } from '../../test/requests/publisher'
import { startServer } from '../../test/servers/start-server'

test.describe('After the server was killed and started again', () => {
  // Chromium prints the lost connections by itself.
  test.use({ toleratedComplaint: /Failed to load resource|ERR_/ })

  test('both windows go on where they were, by themselves: nothing is missing, nothing twice', async ({
    page,
    context,
    topic,
  }) => {
    const folder = await mkdtemp(join(tmpdir(), 'next-sse-'))
    const env = { EVENTS_URL: `file:${join(folder, 'events.db')}` }
    let server = await startServer({ env })
    const { url } = server
    try {
      const other = await context.newPage()
      const windows = [page, other]
      for (const window of windows) {
        await window.goto(`${url}/topics/${topic}`)
        await expect(parts(window).status).toContainText('Live')
      }
      await publishByForm(page, 'one')
      for (const window of windows) await expect(parts(window).events).toHaveText([/one/])

      await server.stop()
      for (const window of windows) {
        await expect(parts(window).status).toContainText('Reconnecting')
        await expect(window.getByText(/Will resume after \d+/)).toBeVisible()
      }
      await parts(other).clear.click()
      await expect(parts(other).events).toHaveCount(0)
      await expect(other.getByText('Trying again automatically.')).toBeVisible()
      server = await startServer({ env, port: Number(new URL(url).port) })
      await publish(url, topic, 'two')
      for (const window of windows) {
        await expect(parts(window).status).toContainText('Live', { timeout: 40_000 })
      }
      await publishByForm(page, 'three')
      await publishByForm(other, 'four')

      await expect(parts(page).events).toHaveText([/one/, /two/, /three/, /four/])
      await expect(parts(other).events).toHaveText([/two/, /three/, /four/])
    } finally {
      await server.stop()
      await rm(folder, { recursive: true })
    }
  })

  test('with a new log, the page shows that the old events are gone', async ({ page, topic }) => {
    const env = { EVENTS_URL: 'memory:' }
    let server = await startServer({ env })
    const { url } = server
    const { log, events, status, clear } = parts(page)
    try {
      await page.goto(`${url}/topics/${topic}`)
      await expect(status).toContainText('Live')
      await publish(url, topic, 'before')
      await expect(events).toHaveText([/before/])

      await server.stop()
      await expect(status).toContainText('Reconnecting')
      server = await startServer({ env, port: Number(new URL(url).port) })
      await expect(status).toContainText('Live', { timeout: 40_000 })
      await publish(url, topic, 'after')

      await expect(events).toHaveText([/before/, /after/])
      const gap = 'Gap The log was reset. Older events are gone.'
      await expect(log).toHaveText(new RegExp(`before.*${gap}.*after`))

      await clear.click()

      await expect(log).not.toContainText('Gap')
    } finally {
      await server.stop()
    }
  })
})

test('A gap is shown where it happened, and is no event', async ({ page, topic }) => {
  const server = await startServer({ env: { EVENTS_URL: 'memory:', EVENTS_MAX_COUNT: '2' } })
  const { start, stop, status, log, events } = parts(page)
  try {
    await page.goto(`${server.url}/topics/${topic}`)
    await expect(status).toContainText('Live')
    await publish(server.url, topic, 'one')
    await expect(events).toHaveText([/one/])
    await stop.click()
    await expect(status).toContainText('Stopped')
    // Far more than are kept: they are not trimmed one by one.
    await fetch(`${server.url}/events/${topic}`, {
      method: 'POST',
      headers: { ...asPublisher, 'content-type': 'application/x-ndjson' },
      body: '"lost"\n'.repeat(600),
    })
    await publish(server.url, topic, 'kept')

    await start.click()

    await expect(events.last()).toContainText('kept')
    const [, oldest] = /id (\d+)/.exec((await events.nth(1).textContent()) ?? '') ?? []
    const gap = `Gap Events after 1 and before ${oldest} are no longer kept.`
    await expect(log).toHaveText(new RegExp(`one.* id 1 *${gap}.*kept`))
    await expect(events.filter({ hasText: gap })).toHaveCount(0)
    const { violations } = await new AxeBuilder({ page }).analyze()
    expect(violations).toEqual([])
  } finally {
    await page.close()
    await server.stop()
  }
})

test.describe('A topic that a reader is refused', () => {
  test.use({ toleratedComplaint: /Failed to load resource/ })

  for (const { answer, reason, title, sentence } of [
    {
      answer: 401,
      reason: 'sign in first',
      title: 'Sign in to read this topic',
      sentence: 'Sign in to read this topic.',
    },
    {
      answer: 403,
      reason: 'not allowed',
      title: 'You may not read this topic',
      sentence: 'You may not read this topic.',
    },
    {
      answer: 404,
      reason: 'no such topic',
      title: 'No such topic',
      sentence: 'There is no such topic.',
    },
  ]) {
    test(`with ${answer} says “${reason}”, and goes on when it is allowed to`, async ({
      page,
      server,
      topic,
    }) => {
      const { start, stop, status, events } = parts(page)
      await removeSharedWorker(page)
      const asked = `**/events/${topic}?*`
      await page.route(asked, (route) => route.fulfill({ status: answer }))

      await page.goto(`/topics/${topic}`)

      await expect(status).toHaveText(`Refused (${reason})`)
      await expect(page.getByText(title, { exact: true })).toBeVisible()
      await expect(page.getByText(`The server refused the stream (${answer}).`)).toBeVisible()
      await expect(page.getByText(sentence, { exact: true })).toBeVisible()
      await expect(stop).toBeDisabled()
      await page.unroute(asked)
      await start.click()
      await expect(status).toHaveText('Live')
      await publish(server.url, topic, 'allowed')
      await expect(events).toHaveText([/allowed/])
    })
  }
})

test.describe('Without a network', () => {
  test.use({ toleratedComplaint: /Failed to load resource|ERR_/ })

  test('pauses, keeps its events until they are cleared, and misses none', async ({
    page,
    context,
    server,
    topic,
  }) => {
    const { start, stop, clear, status, events } = parts(page)
    await removeSharedWorker(page)
    await page.goto(`/topics/${topic}`)
    await expect(status).toContainText('Live')
    await publish(server.url, topic, 'before')
    await expect(events).toHaveText([/before/])
    // A stream that is open may outlive the network: only the next one notices.
    await stop.click()

    await context.setOffline(true)
    await start.click()
    await expect(status).toHaveText('Paused (offline)')
    await expect(page.getByText(/Will resume after \d+/)).toBeVisible()
    await expect(events).toHaveText([/before/])
    await clear.click()
    await expect(page.getByText('You are offline')).toBeVisible()
    await publish(server.url, topic, 'meanwhile')
    await context.setOffline(false)

    await expect(status).toHaveText('Live')
    await expect(events).toHaveText([/meanwhile/])
  })
})
