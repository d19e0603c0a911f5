/** What Next asks of itself, in an app with a server action that redirects: it must not look like a client that makes up its address. */
import { execFileSync } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '../../test/fixtures/server-test'

const root = join(__dirname, '..', '..')
// Within the project, so that it is built by the same Next.
const app = join(root, 'test-results', 'redirecting-app')

const files = {
  'package.json': '{ "private": true }',
  'tsconfig.json': JSON.stringify({
    extends: '../../tsconfig.json',
    compilerOptions: { paths: { '@/*': ['../../*'] } },
  }),
  'next.config.js': `module.exports = { agentRules: false, typescript: { ignoreBuildErrors: true }, turbopack: { root: ${JSON.stringify(root)} } }`,
  'instrumentation.ts': `export { register } from '@/instrumentation'`,
  'app/layout.tsx':
    'export default function Layout({ children }: { children: React.ReactNode }) { return <html lang="en"><body>{children}</body></html> }',
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
  test.setTimeout(120_000)
  await rm(app, { recursive: true, force: true })
  await mkdir(join(app, 'app', 'there'), { recursive: true })
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(app, name), text)))
  const next = require.resolve('next/dist/bin/next')
  execFileSync(process.execPath, [next, 'build'], { cwd: app, stdio: 'pipe' })
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
