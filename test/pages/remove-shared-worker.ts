/** Keeps a page's streams in the page, without a worker shared between tabs. */
import type { Page } from 'playwright/test'

/**
 * Needed where a test watches requests, stops the clock or goes offline: Playwright's functions for that don't reach a SharedWorker. Call it
 * before opening a page.
 */
export async function removeSharedWorker(page: Page): Promise<void> {
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'SharedWorker'))
}
