/** A topic's page, as its readers and publishers use it. */
import type { Page } from 'playwright/test'
import { expect } from '../fixtures/server-test'

/** What readers see and use on the page. */
export function parts(page: Page) {
  const log = page.getByRole('log', { name: 'Events' })
  return {
    start: page.getByRole('button', { name: 'Start' }),
    stop: page.getByRole('button', { name: 'Stop' }),
    clear: page.getByRole('button', { name: 'Clear' }),
    status: page.getByRole('status').first(),
    log,
    events: log.getByRole('listitem'),
    fold: page.getByText('Publish an event'),
    type: page.getByLabel('Type'),
    data: page.getByLabel('Data'),
    publishButton: page.getByRole('button', { name: 'Publish' }),
    result: page.getByRole('status').last(),
  }
}

export async function publishByForm(page: Page, data: string): Promise<void> {
  const form = parts(page)
  await form.data.fill(data)
  await form.publishButton.click()
  await expect(form.result).toContainText('Published as')
}
