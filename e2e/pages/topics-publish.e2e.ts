/** Publishing to a topic from its page: by the form, and by the commands that it shows. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { expect, test } from '../../test/fixtures/topic-test'
import { parts, publishByForm } from '../../test/pages/topic-page'
import { publish } from '../../test/requests/publish'
import { asPublisher } from '../../test/requests/publisher'

test.describe('The form', () => {
  // Chromium prints every refusal by itself.
  test.use({ toleratedComplaint: /Failed to load resource/ })

  test.beforeEach(async ({ page, topic }) => {
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
      const { type, data: field, publishButton, result, events } = parts(page)
      await type.fill('order.paid')
      await field.fill(data)
      await expect(page.getByText(hint, { exact: true })).toBeVisible()
      await expect(page.getByText(`${Buffer.byteLength(data)} B`, { exact: true })).toBeVisible()

      const sent = page.waitForRequest((request) => request.method() === 'POST')
      await publishButton.click()

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
    const { type, data, publishButton, result, events } = parts(page)
    await type.fill('ping')
    await data.fill('kept')

    await publishButton.click()

    await expect(result).toHaveText('“ping” is reserved. Choose another type.')
    await expect(type).toHaveAttribute('aria-invalid', 'true')
    await expect(type).toHaveAttribute('aria-describedby', (await result.getAttribute('id')) ?? '')
    await expect(data).toHaveValue('kept')
    await type.fill('pong')
    await expect(type).toHaveAttribute('aria-invalid', 'false')
    await publishButton.click()
    await expect(events).toHaveText([/kept/])
  })

  test('says that a type is none', async ({ page }) => {
    const { type, data, publishButton, result } = parts(page)
    await type.fill('two words')
    await data.fill('kept')

    await publishButton.click()

    await expect(result).toContainText('“two words” is not a valid type.')
    await expect(type).toHaveAttribute('aria-invalid', 'true')
  })

  test('says that an event is too large, and keeps the draft', async ({ page }) => {
    const { data, publishButton, result, events } = parts(page)
    const large = 'x'.repeat(71 * 1024)
    await data.fill(large)

    await publishButton.click()

    await expect(result).toContainText('Not published. 71 KiB is over the limit')
    await expect(data).toHaveValue(large)
    await expect(events).toHaveCount(0)
  })

  test('says that there is nothing to publish', async ({ page }) => {
    const { publishButton, result, events } = parts(page)

    await publishButton.click()

    await expect(result).toHaveText('Not published. Write some data first.')
    await expect(events).toHaveCount(0)
  })

  test('publishes once, though the first answer was lost', async ({ page, server, topic }) => {
    const { data, publishButton, result, events } = parts(page)
    const keys: (string | undefined)[] = []
    await page.route(`**/events/${topic}`, async (route) => {
      keys.push(route.request().headers()['idempotency-key'])
      const response = await route.fetch()
      await (keys.length === 1 ? route.abort() : route.fulfill({ response }))
    })
    await data.fill('only once')

    await publishButton.click()
    await expect(result).toHaveText(
      'No answer came. The event may or may not have been published; publishing again is safe.',
    )
    await expect(data).toHaveValue('only once')
    await publishButton.click()
    await expect(result).toContainText('Published as')
    await publish(server.url, topic, 'afterwards')

    await expect(events).toHaveText([/only once/, /afterwards/])
    expect(keys[0]).toBeTruthy()
    expect(keys[1]).toBe(keys[0])
    await publishByForm(page, 'only once')
    expect(keys[2]).not.toBe(keys[0])
  })
})

test('Where the form has no room beside the events it is folded under them, and keeps its draft', async ({
  page,
  topic,
}) => {
  const { fold, data, publishButton, events } = parts(page)
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
  await publishButton.click()

  await expect(events).toHaveText([/kept/])
})

test('The commands shown work when they are run', async ({ page, topic }) => {
  await page.goto(`/topics/${topic}`)
  await expect(parts(page).status).toContainText('Live')
  const [watch = '', ...commands] = await page.locator('figure code').allTextContents()

  const watching = spawn('sh', ['-c', `exec ${watch}`], { stdio: ['ignore', 'pipe', 'ignore'] })
  const exited = once(watching, 'exit')
  let watched = ''
  watching.stdout.on('data', (chunk: Buffer) => (watched += chunk.toString()))
  await expect.poll(() => watched).toContain('event: connected')
  for (const command of commands) {
    const asPublished = `curl() { command curl -H 'Authorization: ${asPublisher.authorization}' "$@"; }; ${command}`
    const { stdout } = await promisify(execFile)('sh', ['-c', asPublished])
    expect(JSON.parse(stdout)).toEqual({ ids: [expect.any(String)] })
  }

  await expect(parts(page).events).toHaveText([/hello/, /\{"amount":4200\}/])
  await expect.poll(() => watched).toMatch(/data: hello\n[^]*data: \{"amount":4200\}\n/)
  watching.kill()
  await exited
})
