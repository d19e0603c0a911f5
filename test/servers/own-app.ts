/** An app of a test's own within this repository, built by the same Next, with the library from its source. */
import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const root = join(__dirname, '..', '..')

const common = {
  'package.json': '{ "private": true }',
  'tsconfig.json': JSON.stringify({
    extends: '../../tsconfig.json',
    compilerOptions: {
      paths: {
        '@/*': ['../../*'],
        'next-sse': ['../../package/index.ts'],
        'next-sse/*': ['../../package/*.ts'],
      },
    },
  }),
  'instrumentation.ts': `export { register } from 'next-sse/instrumentation'`,
  'app/layout.tsx':
    'export default function Layout({ children }: { children: React.ReactNode }) { return <html lang="en"><body>{children}</body></html> }',
}

/** For the app's next.config.js: what every such app needs, as text to stand within braces. */
export const ownAppConfig = `agentRules: false, typescript: { ignoreBuildErrors: true }, turbopack: { root: ${JSON.stringify(root)} }`

/** Writes and builds it, within the repository, so that it is built by the same Next; returns its folder, which the caller removes: the compiler judges what is in it. `options` are for `next build`. */
export async function buildOwnApp(
  name: string,
  files: Record<string, string>,
  options: readonly string[] = [],
): Promise<string> {
  const folder = join(root, 'test-results', name)
  await rm(folder, { recursive: true, force: true })
  for (const [file, text] of Object.entries({ ...common, ...files })) {
    await mkdir(dirname(join(folder, file)), { recursive: true })
    await writeFile(join(folder, file), text)
  }
  const next = require.resolve('next/dist/bin/next')
  await promisify(execFile)(process.execPath, [next, 'build', ...options], { cwd: folder })
  return folder
}
