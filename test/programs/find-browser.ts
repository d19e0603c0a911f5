/** Finds a Chromium to test with, and installs one if there is none. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright'
import { findOnPath, installPackage } from './find-program'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const paths = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
]

/**
 * The path of a browser: `CHROMIUM_PATH`, else a system Chromium or Chrome, else Playwright's own, else Debian's.
 * @throws when there is no browser and it can't be installed; the message says what to do
 */
export function findBrowser(): string {
  // Playwright loads its configuration in every worker: they inherit the first answer.
  return (process.env['CHROMIUM_PATH'] ||= findInstalled() ?? install())
}

function findInstalled(): string | undefined {
  return (
    findOnPath(...names) ?? [...paths, chromium.executablePath()].find((path) => existsSync(path))
  )
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

  console.log('That did not work.')
  const packaged = installPackage('chromium') ? findInstalled() : undefined
  if (packaged) return packaged
  throw new Error(
    'The tests need Chromium or Chrome: install one, or set CHROMIUM_PATH to its executable.',
  )
}
