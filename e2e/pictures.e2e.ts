/** Takes the pictures that the README shows. They go to docs/pictures when one is missing or `npm run e2e -- -u` asks for it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright'
import { expect, test } from './support/test'

const pictures = join(__dirname, '..', 'docs', 'pictures')

for (const colorScheme of ['light', 'dark'] as const) {
  test(`The home page in ${colorScheme}`, async ({ server, launchOptions }, testInfo) => {
    const shown = join(pictures, `home-${colorScheme}.png`)
    const isWanted = testInfo.config.updateSnapshots === 'all' || !existsSync(shown)
    // The picture shows the address that a reader will see.
    const { host } = new URL(server.url)
    const browser = await chromium.launch({
      ...launchOptions,
      args: [
        ...(launchOptions.args ?? []),
        `--host-resolver-rules=MAP localhost:3000 ${host.replace('localhost', '127.0.0.1')}`,
      ],
    })
    const page = await browser.newPage({
      colorScheme,
      viewport: { width: 1280, height: 860 },
      deviceScaleFactor: 2,
      timezoneId: 'UTC',
    })
    await page.clock.setFixedTime('2026-01-05T14:03:21.004Z')
    await page.goto('http://localhost:3000')
    const events = page.getByRole('log').getByRole('listitem')
    await expect(events).toHaveCount(1)
    await page.clock.setFixedTime('2026-01-05T14:03:23.006Z')
    await expect(events).toHaveCount(2)
    await page.clock.setFixedTime('2026-01-05T14:03:24.010Z')
    await expect(page.getByText('1 s', { exact: true })).toBeVisible()

    const path = isWanted ? shown : testInfo.outputPath('home.png')
    await page.screenshot({ path, animations: 'disabled' })

    await browser.close()
  })
}
