/** How much script the home page loads, beside a page of Next's that does nothing. */
import { execFileSync } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright/test'
import { expect, test } from '../../test/fixtures/page-test'

const root = join(__dirname, '..', '..')
// Within the project, so that it is built by the same Next.
const emptyApp = join(root, 'test-results', 'empty-app')

const emptyFiles = {
  'package.json': '{ "private": true }',
  'next.config.js': `module.exports = { agentRules: false, turbopack: { root: ${JSON.stringify(root)} } }`,
  'app/layout.js':
    'export default function Layout({ children }) { return <html lang="en"><body>{children}</body></html> }',
  'app/page.js': 'export default function Page() { return <p>Nothing.</p> }',
}

/** The gzipped size of all the scripts that a page loads, in bytes. */
async function weigh(page: Page, url: string): Promise<number> {
  const scripts: Promise<Buffer>[] = []
  page.on('response', (response) => {
    if (response.request().resourceType() === 'script') scripts.push(response.body())
  })
  await page.goto(url)
  await page.waitForTimeout(1_000)
  const bodies = await Promise.all(scripts)
  return bodies.reduce((bytes, body) => bytes + gzipSync(body).length, 0)
}

test('The home page loads at most 25 kB of script more than an empty page @soak-only', async ({
  browser,
  server,
  start,
}) => {
  await rm(emptyApp, { recursive: true, force: true })
  await mkdir(join(emptyApp, 'app'), { recursive: true })
  await Promise.all(
    Object.entries(emptyFiles).map(([name, text]) => writeFile(join(emptyApp, name), text)),
  )
  const next = require.resolve('next/dist/bin/next')
  execFileSync(process.execPath, [next, 'build'], { cwd: emptyApp, stdio: 'pipe' })
  const empty = await start({ app: emptyApp })

  const emptyBytes = await weigh(await browser.newPage(), empty.url)
  const homeBytes = await weigh(await browser.newPage(), server.url)

  console.log(`Script, gzipped: ${homeBytes} bytes at home, ${emptyBytes} on an empty page`)
  expect(emptyBytes).toBeGreaterThan(50_000)
  expect(homeBytes - emptyBytes).toBeLessThanOrEqual(25_000)
  await rm(emptyApp, { recursive: true })
})
