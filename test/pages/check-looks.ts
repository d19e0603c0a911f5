/** Looks at a page in light and wide, and in dark at 320 px: axe finds nothing, and nothing scrolls sideways. Leaves a picture of each. */
import { AxeBuilder } from '@axe-core/playwright'
import { expect, type Page, type TestInfo } from 'playwright/test'

const looks = [
  ['light', 1280],
  ['dark', 320],
] as const

export async function checkLooks(page: Page, name: string, testInfo: TestInfo): Promise<void> {
  for (const [colorScheme, width] of looks) {
    // While an event fades in, its contrast is low.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.setViewportSize({ width, height: 900 })
    const path = testInfo.outputPath(`${name}-${colorScheme}-${width}.png`)
    await page.screenshot({ path, fullPage: true })
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width)
  }
}
