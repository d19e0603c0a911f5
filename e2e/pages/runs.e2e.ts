/** The import of the runs page: it goes on without its page, is found again anywhere, and can be stopped from there. */
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright/test'
import { expect, test as base } from '../../test/fixtures/page-test'
import type { RunningServer } from '../../test/servers/start-server'

const test = base.extend<{ imports: RunningServer }>({
  imports: async ({ start, folder }, use) => {
    await use(await start({ env: { APP_DATABASE: `${folder}/app.db`, RETRY: '200ms' } }))
  },
  // The server is stopped before the page is closed.
  toleratedComplaint: /net::ERR_/,
})
function parts(page: Page) {
  const panel = page.getByRole('region', { name: 'Import' })
  return {
    start: panel.getByRole('button', { name: /^Start/ }),
    stop: panel.getByRole('button', { name: 'Stop' }),
    status: panel.getByRole('status'),
    bar: panel.getByRole('progressbar', { name: 'Rows written' }),
  }
}

async function rows(page: Page): Promise<number> {
  return Number(await parts(page).bar.getAttribute('value'))
}

test('An import goes on while its page is left, is watched elsewhere, and stopped there', async ({
  page,
  browser,
  imports,
}) => {
  await page.goto(`${imports.url}/runs`)
  await expect(parts(page).status).toHaveText('Not started')
  await parts(page).start.click()
  await expect(parts(page).status).toHaveText('Running')
  await expect.poll(() => rows(page)).toBeGreaterThan(50)
  const seen = await rows(page)

  await page.goto('about:blank')
  await page.goto(`${imports.url}/runs`)
  await expect(parts(page).status).toHaveText('Running')
  await expect.poll(() => rows(page)).toBeGreaterThan(seen)
  const elsewhere = await (await browser.newContext()).newPage()
  await elsewhere.goto(`${imports.url}/runs`)
  await expect(parts(elsewhere).status).toHaveText('Running')
  await parts(elsewhere).stop.click()

  for (const each of [elsewhere, page]) {
    await expect(parts(each).status).toHaveText('Stopped')
    expect(await rows(each)).toBeLessThan(2_000)
  }
  const stoppedAt = await rows(page)
  await page.reload()
  await expect(parts(page).status).toHaveText('Stopped')
  expect(await rows(page)).toBe(stoppedAt)
  expect(await rows(elsewhere)).toBe(stoppedAt)
  await elsewhere.context().close()
})

test('An import comes to its end, and a tab that was opened before shows all of it @soak-only', async ({
  page,
  context,
  imports,
}) => {
  const other = await context.newPage()
  await other.goto(`${imports.url}/runs`)
  await page.goto(`${imports.url}/runs`)
  await parts(page).start.click()

  for (const each of [page, other]) {
    await expect(parts(each).status).toHaveText('Done', { timeout: 40_000 })
    expect(await rows(each)).toBe(2_000)
  }
})

for (const { env, end } of [
  { env: { DRAIN_RUNS: '30s' }, end: 'Done' },
  { env: { DRAIN_RUNS: '500ms' }, end: 'Failed' },
]) {
  test(`On SIGTERM with DRAIN_RUNS=${env.DRAIN_RUNS}, the import is ${end.toLowerCase()} before the process ends @soak-only`, async ({
    page,
    start,
    folder,
  }) => {
    const all = { ...env, APP_DATABASE: `${folder}/app.db`, DRAIN: '100ms', RETRY: '200ms' }
    const server = await start({ env: all })
    await page.goto(`${server.url}/runs`)
    await parts(page).start.click()
    await expect.poll(() => rows(page)).toBeGreaterThan(100)

    process.kill(server.pid, 'SIGTERM')
    expect(await server.exited).toBe(143)
    await start({ env: all, port: Number(new URL(server.url).port) })

    // The page comes back by itself. It has been refused while the server waited for the run, so that may take half a minute.
    await expect(parts(page).status).toHaveText(end, { timeout: 60_000 })
    const written = await rows(page)
    expect(written === 2_000).toBe(end === 'Done')
    await page.reload()
    await expect(parts(page).status).toHaveText(end)
    expect(await rows(page)).toBe(written)
  })
}

test('Is accessible, in light and in dark, and fits 320 pixels', async ({ page, imports }) => {
  await page.setViewportSize({ width: 320, height: 640 })
  await page.goto(`${imports.url}/runs`)

  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    const { violations } = await new AxeBuilder({ page }).analyze()
    expect(violations).toEqual([])
  }
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320)
})
