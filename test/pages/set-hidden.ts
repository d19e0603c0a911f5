import type { Page } from 'playwright/test'

declare global {
  interface Window {
    /** While the page is hidden: what gives it frames, and what waits for one. */
    background?: { request: typeof requestAnimationFrame; waiting: FrameRequestCallback[] }
  }
}

/** What a page is told when its tab goes to the background, and when it comes back. The background has no animation frames. */
export async function setHidden(page: Page, isHidden: boolean): Promise<void> {
  await page.evaluate((hidden) => {
    if (hidden) {
      const waiting: FrameRequestCallback[] = []
      window.background = { request: window.requestAnimationFrame, waiting }
      window.requestAnimationFrame = (look) => waiting.push(look)
    } else if (window.background) {
      window.requestAnimationFrame = window.background.request
      for (const look of window.background.waiting) requestAnimationFrame(look)
    }
    Object.defineProperty(document, 'hidden', { value: hidden, configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
  }, isHidden)
}
