/** What Next asks of itself, in an app with a server action that redirects: it must not look like a client that makes up its address. */
import { rm } from 'node:fs/promises'
import { expect, test } from '../../test/fixtures/server-test'
import { buildOwnApp, ownAppConfig } from '../../test/servers/own-app'

const files = {
  'next.config.js': `module.exports = { ${ownAppConfig} }`,
  'app/page.tsx': `import { leave } from './leave'
    export default function Page() { return <form action={leave}><button>Go</button></form> }`,
  'app/leave.ts': `'use server'
    import { redirect } from 'next/navigation'
    export async function leave() { redirect('/there') }`,
  'app/there/page.tsx': `import { headers } from 'next/headers'
    export default async function Page() { return <p>Asked by {(await headers()).get('x-forwarded-for')}</p> }`,
}

test('A server action that redirects is not warned of; a client that makes up its address is, and is not believed @soak-only', async ({
  page,
  start,
}) => {
  const app = await buildOwnApp('redirecting-app', files)
  const server = await start({ app })

  await page.goto(server.url)
  await page.getByRole('button', { name: 'Go' }).click()

  await expect(page.getByText('Asked by')).toContainText(/127\.0\.0\.1|::1/)
  await expect(page).toHaveURL(`${server.url}/there`)
  expect(server.output()).not.toContain('TRUST_PROXY')

  const forged = { 'x-forwarded-for': '192.0.2.1' }
  for (const headers of [
    { ...forged, rsc: '1' },
    { ...forged, 'x-action-forwarded': '1' },
    forged,
  ]) {
    const answer = await (await fetch(`${server.url}/there`, { headers })).text()
    expect(answer).not.toContain('192.0.2.1')
  }
  await expect.poll(server.output).toContain('TRUST_PROXY')
  await rm(app, { recursive: true })
})
