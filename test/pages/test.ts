/** `test` with a running server, and a page on which nothing may go wrong silently. */
import { publisherToken } from '../readers/publisher'
import { expect, test as base } from './server-test'

interface TestFixtures {
  /** Everything the page printed as an error or a warning; the test fails if it is not empty at the end. */
  complaints: string[]
  /** A complaint that is not the page's fault. Default: none. */
  toleratedComplaint: RegExp | undefined
}

export const test = base.extend<TestFixtures>({
  // The pages' forms publish with what the browser has.
  context: async ({ context }, use) => {
    const cookie = { name: 'events_token', value: publisherToken, path: '/' }
    await context.addCookies(['localhost', '127.0.0.1'].map((domain) => ({ ...cookie, domain })))
    await use(context)
  },
  toleratedComplaint: [undefined, { option: true }],
  complaints: [
    async ({ page, toleratedComplaint }, use) => {
      const complaints: string[] = []
      const note = (text: string): void => {
        if (!toleratedComplaint?.test(text)) complaints.push(text)
      }
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) note(message.text())
      })
      page.on('pageerror', (error) => note(error.message))
      await use(complaints)
      expect(complaints).toEqual([])
    },
    { auto: true },
  ],
})

export { expect }
