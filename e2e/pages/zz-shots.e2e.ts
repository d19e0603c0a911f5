import { test } from '../../test/fixtures/page-test'
test.use({ toleratedComplaint: /net::/ })
test('shots', async ({ page, start, folder }) => {
  const server = await start({ env: { APP_DATABASE: `${folder}/app.db` } })
  await page.setViewportSize({ width: 320, height: 640 })
  for (const path of ['chat', 'runs', '']) {
    await page.goto(`${server.url}/${path}`)
    await page.waitForTimeout(800)
    await page.screenshot({ path: `/tmp/ai-shots/n-${path}.png` })
  }
  await page.setViewportSize({ width: 1280, height: 800 })
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.goto(`${server.url}/chat`)
  await page.getByLabel('Message', { exact: true }).fill('Say 40 words')
  await page.screenshot({ path: `/tmp/ai-shots/w-typed.png` })
  await page.goto('about:blank')
})
