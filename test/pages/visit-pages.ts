/** Visits and uses every page, in a browser that reports violations of the content security policy. */
import { expect, type Page } from 'playwright/test'

const pages = ['/', '/topics/news', '/nothing', '/topics/-demo']

/** Records the violations on every page opened from now on. */
export async function watchViolations(page: Page): Promise<readonly string[]> {
  const violations: string[] = []
  await page.exposeFunction('noteViolation', (text: string) => violations.push(text))
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const { noteViolation } = window as unknown as { noteViolation: (text: string) => void }
      noteViolation(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}`)
    })
  })
  return violations
}

export async function visitPages(page: Page, url: string): Promise<void> {
  for (const path of pages) {
    const response = await page.goto(url + path)
    expect(response?.headers()['content-security-policy']).toMatch(
      /^default-src 'none'; script-src/,
    )
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  }
  await page.goto(url)
  await expect(page.getByRole('log', { name: 'Events' })).toContainText('Hi there')
  await page.goto(`${url}/topics/visited`)
  await expect(page.getByRole('status').first()).toContainText('Live')
  await page.getByRole('textbox', { name: 'Data' }).fill('{"html":"<img src=x onerror=alert(1)>"}')
  await page.getByRole('button', { name: 'Publish' }).click()
  const event = page.getByRole('log', { name: 'Events' }).getByRole('listitem')
  await expect(event).toContainText('<img src=x')
  await event.click()
  expect(await page.locator('img[src="x"]').count()).toBe(0)
}
