/** Keeps a page's streams to the page. */
import type { Page } from 'playwright/test'

/** As where there is no SharedWorker: Playwright sees no requests of one, nor does a page's clock or its being offline reach it. To be called before a page is opened. */
export async function keepToPage(page: Page): Promise<void> {
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'SharedWorker'))
}
