/** Finds a Chromium to test with, and installs one where there is none. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium } from 'playwright'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const paths = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
]

/**
 * The path of a browser: `CHROMIUM_PATH`, else a system Chromium or Chrome, else Playwright's own, else Debian's.
 * @throws when there is none and none can be installed; the message says what to do
 */
export function findBrowser(): string {
  // Playwright loads its configuration in every worker: the first answer serves them all.
  return (process.env['CHROMIUM_PATH'] ||= findInstalled() ?? install())
}

function findInstalled(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const candidates = [
    ...names.flatMap((name) => folders.map((folder) => join(folder, name))),
    ...paths,
    chromium.executablePath(),
  ]
  return candidates.find((path) => existsSync(path))
}

function install(): string {
  console.log('No Chromium found: running `npx playwright install chromium`.')
  const playwright = join(require.resolve('playwright/package.json'), '..', 'cli.js')
  spawnSync(process.execPath, [playwright, 'install', 'chromium'], {
    stdio: 'inherit',
    timeout: 300_000,
  })
  const downloaded = findInstalled()
  if (downloaded) return downloaded

  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    console.log('That did not work: running `apt-get install chromium`.')
    aptGet('update')
    aptGet('install', '-y', '--no-install-recommends', 'chromium')
    const packaged = findInstalled()
    if (packaged) return packaged
  }
  throw new Error(
    'The tests need Chromium or Chrome: install one, or set CHROMIUM_PATH to its executable.',
  )
}

function aptGet(...args: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  execFileSync('apt-get', ['-qq', ...args], { stdio: 'inherit', env })
}
