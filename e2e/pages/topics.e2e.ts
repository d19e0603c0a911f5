/** A topic's page, used as its readers and publishers use it: in a real Chromium, against `next start`. */
import { execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright/test'
import { removeSharedWorker } from '../../test/pages/remove-shared-worker'
import { asPublisher } from '../../test/requests/publisher'
import { startServer } from '../../test/servers/start-server'
import { test, expect } from '../../test/fixtures/page-test'

/** What a reader sees and uses of the page. */
function parts(page: Page) {
  const log = page.getByRole('log', { name: 'Events' })
  return {
    start: page.getByRole('button', { name: 'Start' }),
    stop: page.getByRole('button', { name: 'Stop' }),
    clear: page.getByRole('button', { name: 'Clear' }),
    status: page.getByRole('status').first(),
    log,
    events: log.getByRole('listitem'),
    fold: page.getByText('Publish an event'),
    type: page.getByLabel('Type'),
    data: page.getByLabel('Data'),
    publish: page.getByRole('button', { name: 'Publish' }),
    result: page.getByRole('status').last(),
  }
}

async function publishByForm(page: Page, data: string): Promise<void> {
  const form = parts(page)
  await form.data.fill(data)
  await form.publish.click()
  await expect(form.result).toContainText('Published as')
}

/** Publishes as any program does. */
async function post(url: string, topic: string, ...texts: string[]): Promise<void> {
  for (const body of texts) {
    const response = await fetch(`${url}/events/${topic}`, {
      method: 'POST',
      headers: asPublisher,
      body,
    })
    expect(response.status).toBe(201)
  }
}

let topic = ''

test.beforeEach(() => {
  // The log outlives a run of the tests.
  topic = `t-${randomUUID()}`
})

test.afterEach(async ({ context, server }) => {
  await context.close()
  await expect.poll(server.openStreams).toBe(0)
})

test('Two windows on a topic see each other’s messages', async ({ page, context }) => {
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

test.describe('After the server was killed and started again', () => {
  // Chromium prints the lost connections by itself.
  test.use({ toleratedComplaint: /Failed to load resource|ERR_/ })

  test('both windows go on where they were, by themselves: nothing is missing, nothing twice', async ({
    page,
    context,
  }) => {
    test.setTimeout(90_000)
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
      await post(url, topic, 'two')
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

  test('with a new log, the page shows that the old events are gone', async ({ page }) => {
    test.setTimeout(90_000)
    const env = { EVENTS_URL: 'memory:' }
    let server = await startServer({ env })
    const { url } = server
    const { log, events, status, clear } = parts(page)
    try {
      await page.goto(`${url}/topics/${topic}`)
      await expect(status).toContainText('Live')
      await post(url, topic, 'before')
      await expect(events).toHaveText([/before/])

      await server.stop()
      await expect(status).toContainText('Reconnecting')
      server = await startServer({ env, port: Number(new URL(url).port) })
      await expect(status).toContainText('Live', { timeout: 40_000 })
      await post(url, topic, 'after')

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

test('A gap is shown where it happened, and is no event', async ({ page }) => {
  const server = await startServer({ env: { EVENTS_URL: 'memory:', EVENTS_MAX_COUNT: '2' } })
  const { start, stop, status, log, events } = parts(page)
  try {
    await page.goto(`${server.url}/topics/${topic}`)
    await expect(status).toContainText('Live')
    await post(server.url, topic, 'one')
    await expect(events).toHaveText([/one/])
    await stop.click()
    await expect(status).toContainText('Stopped')
    // Far more than are kept: they are not trimmed one by one.
    await fetch(`${server.url}/events/${topic}`, {
      method: 'POST',
      headers: { ...asPublisher, 'content-type': 'application/x-ndjson' },
      body: '"lost"\n'.repeat(600),
    })
    await post(server.url, topic, 'kept')

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
      await post(server.url, topic, 'allowed')
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
  }) => {
    const { start, stop, clear, status, events } = parts(page)
    await removeSharedWorker(page)
    await page.goto(`/topics/${topic}`)
    await expect(status).toContainText('Live')
    await post(server.url, topic, 'before')
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
    await post(server.url, topic, 'meanwhile')
    await context.setOffline(false)

    await expect(status).toHaveText('Live')
    await expect(events).toHaveText([/meanwhile/])
  })
})

test('Opening the page again shows the last hundred events', async ({ page, server }) => {
  const texts = Array.from({ length: 105 }, (_, index) => `event ${index + 1}.`)
  await post(server.url, topic, ...texts)
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

test('Start after Stop brings what was published meanwhile, once', async ({ page, server }) => {
  const { start, stop, status, events } = parts(page)
  await page.goto(`/topics/${topic}`)
  await expect(status).toContainText('Live')
  await post(server.url, topic, 'before')
  await expect(events).toHaveText([/before/])

  await stop.click()
  await expect(status).toContainText('Stopped')
  await expect.poll(server.openStreams).toBe(0)
  await post(server.url, topic, 'meanwhile')
  await expect(events).toHaveText([/before/])
  await start.click()
  await expect(status).toContainText('Live')
  await post(server.url, topic, 'after')

  await expect(events).toHaveText([/before/, /meanwhile/, /after/])
})

test('Clear empties the view alone: the stream goes on, and the topic keeps its events', async ({
  page,
  server,
}) => {
  const { clear, status, events } = parts(page)
  await page.goto(`/topics/${topic}`)
  await expect(status).toContainText('Live')
  await post(server.url, topic, 'one')
  await expect(events).toHaveText([/one/])

  await clear.click()

  await expect(events).toHaveCount(0)
  await expect(clear).toBeDisabled()
  await expect(status).toContainText('Live')
  await post(server.url, topic, 'two')
  await expect(events).toHaveText([/two/])
  await page.reload()
  await expect(events).toHaveText([/one/, /two/])
})

test('The newest event is in view, unless the reader looks back', async ({ page, server }) => {
  const { log, events } = parts(page)
  await post(server.url, topic, ...Array.from({ length: 60 }, (_, index) => `event ${index}.`))
  await page.goto(`/topics/${topic}`)
  await expect(events.last()).toBeInViewport()
  await post(server.url, topic, 'followed')
  await expect(events.filter({ hasText: 'followed' })).toBeInViewport()

  await log.focus()
  await page.keyboard.press('Home')
  await expect(events.first()).toBeInViewport()
  await post(server.url, topic, 'not followed')

  await expect(page.getByRole('button', { name: '1 new' })).toBeVisible()
  await expect(events.filter({ hasText: 'not followed' })).not.toBeInViewport()
  await expect(events.first()).toBeInViewport()
})

test('An event is shown with its type, its id and the time of its publishing', async ({
  page,
  server,
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

test('Data is text, whatever is in it', async ({ page, server }) => {
  const hostile = '<img src=x onerror="document.title=\'owned\'"><script>alert(1)</script>'
  await post(server.url, topic, hostile)

  await page.goto(`/topics/${topic}`)
  await expect(parts(page).events).toContainText(hostile)
  await publishByForm(page, hostile)

  await expect(parts(page).events).toHaveCount(2)
  await expect(page.locator('img')).toHaveCount(0)
  await expect(page).toHaveTitle(`${topic} · next-sse`)
})

test.describe('The form', () => {
  // Chromium prints every refusal by itself.
  test.use({ toleratedComplaint: /Failed to load resource/ })

  test.beforeEach(async ({ page }) => {
    await page.goto(`/topics/${topic}`)
    await expect(parts(page).status).toContainText('Live')
  })

  for (const { data, hint, mediaType } of [
    { data: '{"amount":\n4200}', hint: 'Sent as JSON', mediaType: /^application\/json$/ },
    { data: '[1, 2]', hint: 'Sent as JSON', mediaType: /^application\/json$/ },
    { data: '{"amount":', hint: 'Sent as text: not valid JSON', mediaType: /^text\/plain/ },
    { data: 'grüße', hint: 'Sent as text', mediaType: /^text\/plain/ },
  ]) {
    test(`says “${hint}” of ${JSON.stringify(data)}, and sends it so`, async ({ page }) => {
      const { type, data: field, publish, result, events } = parts(page)
      await type.fill('order.paid')
      await field.fill(data)
      await expect(page.getByText(hint, { exact: true })).toBeVisible()
      await expect(page.getByText(`${Buffer.byteLength(data)} B`, { exact: true })).toBeVisible()

      const sent = page.waitForRequest((request) => request.method() === 'POST')
      await publish.click()

      expect((await sent).headers()['content-type']).toMatch(mediaType)
      await expect(events).toContainText('order.paid')
      expect(await events.textContent()).toContain(data.replace('\n', ' '))
      const [, offset] = /id (\d+)/.exec((await events.textContent()) ?? '') ?? []
      await expect(result).toHaveText(`Published as ${offset}.`)
      await expect(field).toHaveValue('')
      await expect(type).toHaveValue('')
    })
  }

  test('publishes by keyboard, from either field, once', async ({ page }) => {
    const { type, data, events } = parts(page)

    await data.fill('by Ctrl')
    await data.press('Control+Enter')
    await expect(events).toHaveText([/by Ctrl/])
    await expect(data).toBeFocused()
    await data.fill('by ⌘')
    await type.press('Meta+Enter')

    await expect(events).toHaveText([/by Ctrl/, /by ⌘/])
  })

  test('says that a type is reserved, and keeps the draft', async ({ page }) => {
    const { type, data, publish, result, events } = parts(page)
    await type.fill('ping')
    await data.fill('kept')

    await publish.click()

    await expect(result).toHaveText('“ping” is reserved. Choose another type.')
    await expect(type).toHaveAttribute('aria-invalid', 'true')
    await expect(type).toHaveAttribute('aria-describedby', (await result.getAttribute('id')) ?? '')
    await expect(data).toHaveValue('kept')
    await type.fill('pong')
    await expect(type).toHaveAttribute('aria-invalid', 'false')
    await publish.click()
    await expect(events).toHaveText([/kept/])
  })

  test('says that a type is none', async ({ page }) => {
    const { type, data, publish, result } = parts(page)
    await type.fill('two words')
    await data.fill('kept')

    await publish.click()

    await expect(result).toContainText('“two words” is not a valid type.')
    await expect(type).toHaveAttribute('aria-invalid', 'true')
  })

  test('says that an event is too large, and keeps the draft', async ({ page }) => {
    const { data, publish, result, events } = parts(page)
    const large = 'x'.repeat(71 * 1024)
    await data.fill(large)

    await publish.click()

    await expect(result).toContainText('Not published. 71 KiB is over the limit')
    await expect(data).toHaveValue(large)
    await expect(events).toHaveCount(0)
  })

  test('says that there is nothing to publish', async ({ page }) => {
    const { publish, result, events } = parts(page)

    await publish.click()

    await expect(result).toHaveText('Not published. Write some data first.')
    await expect(events).toHaveCount(0)
  })

  test('publishes once, though the first answer was lost', async ({ page, server }) => {
    const { data, publish, result, events } = parts(page)
    const keys: (string | undefined)[] = []
    await page.route(`**/events/${topic}`, async (route) => {
      keys.push(route.request().headers()['idempotency-key'])
      const response = await route.fetch()
      await (keys.length === 1 ? route.abort() : route.fulfill({ response }))
    })
    await data.fill('only once')

    await publish.click()
    await expect(result).toHaveText(
      'No answer came. The event may or may not have been published; publishing again is safe.',
    )
    await expect(data).toHaveValue('only once')
    await publish.click()
    await expect(result).toContainText('Published as')
    await post(server.url, topic, 'afterwards')

    await expect(events).toHaveText([/only once/, /afterwards/])
    expect(keys[0]).toBeTruthy()
    expect(keys[1]).toBe(keys[0])
    await publishByForm(page, 'only once')
    expect(keys[2]).not.toBe(keys[0])
  })
})

test('Where the form has no room beside the events it is folded under them, and keeps its draft', async ({
  page,
}) => {
  const { fold, data, publish, events } = parts(page)
  await page.setViewportSize({ width: 375, height: 812 })
  await page.goto(`/topics/${topic}`)
  await expect(data).toBeHidden()
  await expect(fold).toBeInViewport()

  await fold.focus()
  await page.keyboard.press('Enter')
  await data.fill('kept')
  await fold.click()
  await expect(data).toBeHidden()
  await page.setViewportSize({ width: 1280, height: 812 })
  await expect(fold).toBeHidden()
  await publish.click()

  await expect(events).toHaveText([/kept/])
})

test('The commands shown work when they are run', async ({ page }) => {
  await page.goto(`/topics/${topic}`)
  await expect(parts(page).status).toContainText('Live')
  const [watch = '', ...publish] = await page.locator('figure code').allTextContents()

  const watching = spawn('sh', ['-c', `exec ${watch}`], { stdio: ['ignore', 'pipe', 'ignore'] })
  const exited = once(watching, 'exit')
  let watched = ''
  watching.stdout.on('data', (chunk: Buffer) => (watched += chunk.toString()))
  await expect.poll(() => watched).toContain('event: connected')
  for (const command of publish) {
    const asPublished = `curl() { command curl -H 'Authorization: ${asPublisher.authorization}' "$@"; }; ${command}`
    const { stdout } = await promisify(execFile)('sh', ['-c', asPublished])
    expect(JSON.parse(stdout)).toEqual({ ids: [expect.any(String)] })
  }

  await expect(parts(page).events).toHaveText([/hello/, /\{"amount":4200\}/])
  await expect.poll(() => watched).toMatch(/data: hello\n[^]*data: \{"amount":4200\}\n/)
  watching.kill()
  await exited
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

  test('the page says what is missing, and what to do in a terminal', async ({ page, server }) => {
    await page.goto(`/topics/${topic}`)

    await expect(page.getByRole('heading', { level: 1 })).toHaveText(topic)
    await expect(page.getByText(/needs JavaScript/)).toBeVisible()
    const command = `curl -N ${new URL(server.url).host}/events/${topic}`
    await expect(page.getByText(command).first()).toBeVisible()
    await expect(parts(page).start).toBeHidden()
    await expect(parts(page).publish).toBeHidden()
  })
})

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(`In ${colorScheme}`, () => {
    test.use({ colorScheme })

    for (const width of [1280, 320]) {
      test(`axe finds nothing at ${width} px, and nothing scrolls sideways`, async ({
        page,
        server,
      }) => {
        const long = `${topic}-${'n'.repeat(20)}`
        await page.setViewportSize({ width, height: 900 })
        await post(server.url, long, 'short', 'w'.repeat(500), JSON.stringify({ a: [1, 2, 3] }))
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
