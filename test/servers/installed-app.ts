/** An app that is not ours, with the packed library installed: what a builder has after following package/README.md. */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { filesIn } from '../files-in'

export type Files = Record<string, string>

export interface InstalledApp {
  folder: string
  /** Runs a program in the app's folder. Resolves with what it printed, whatever its exit code. */
  run: (program: string, args: string[], env?: Record<string, string>) => Promise<Finished>
  /** Runs `next build`. */
  build: (args?: string[]) => Promise<Finished>
  /** Writes files, and the folders that they are in. */
  write: (files: Files) => Promise<void>
  /** The text of a file. */
  read: (name: string) => Promise<string>
  /** Removes the folder. */
  remove: () => Promise<void>
}

interface Finished {
  code: number
  output: string
}

const root = join(__dirname, '..', '..')
const runTimeoutMs = 240_000
const quiet = ['--no-audit', '--no-fund', '--loglevel=error']

/** Packs the library. Returns the tarball. */
export async function packLibrary(): Promise<string> {
  await mustRun('npm', ['run', 'pack', '--silent'], root)
  const manifest = await readFile(join(root, 'package', 'package.json'), 'utf8')
  const { version } = JSON.parse(manifest) as { version: string }
  return join(root, 'package', `next-sse-${version}.tgz`)
}

/**
 * Makes an app in a temporary folder, with all that package/README.md and docs/guide.md name but `instrumentation.ts`; nothing is
 * built. It is outside of this repository, so that none of our packages is found there.
 */
export async function installApp(tarball: string): Promise<InstalledApp> {
  const parent = await mkdtemp(join(tmpdir(), 'next-sse-app-'))
  const app = appIn(join(parent, 'my-app'), parent)
  await createApp(app, parent)
  // What the documented pages import besides.
  const packages = ['zod', 'ai', '@ai-sdk/react']
  const wanted = await Promise.all(packages.map(async (name) => `${name}@${await versionOf(name)}`))
  await mustRun('npm', ['install', ...quiet, tarball, ...wanted], app.folder)
  await app.write(await documentedFiles())
  return app
}

/** A copy of an app in a folder of its own. Its packages are hard links. */
export async function copyApp({ folder }: InstalledApp): Promise<InstalledApp> {
  const parent = await mkdtemp(join(tmpdir(), 'next-sse-copy-'))
  const copy = join(parent, 'my-app')
  await cp(folder, copy, {
    recursive: true,
    filter: (path) => ![join(folder, 'node_modules'), join(folder, '.next')].includes(path),
  })
  // `cp` of Node has no hard links.
  await mustRun('cp', ['-al', join(folder, 'node_modules'), copy], parent)
  return appIn(copy, parent)
}

function appIn(folder: string, parent: string): InstalledApp {
  const run: InstalledApp['run'] = (program, args, env = {}) => finish(program, args, folder, env)
  return {
    folder,
    run,
    build: (args = []) =>
      // As on a build machine, which has none of the server's variables.
      run(process.execPath, [join(folder, 'node_modules/next/dist/bin/next'), 'build', ...args], {
        NODE_ENV: 'production',
      }),
    async write(files) {
      for (const [name, text] of Object.entries(files)) {
        await mkdir(dirname(join(folder, name)), { recursive: true })
        await writeFile(join(folder, name), text)
      }
    },
    read: (name) => readFile(join(folder, name), 'utf8'),
    remove: () => rm(parent, { recursive: true }),
  }
}

/** By create-next-app where the registry has it, else the least that is an app. */
async function createApp(app: InstalledApp, parent: string): Promise<void> {
  const options = ['--ts', '--app', '--tailwind', '--no-src-dir', '--import-alias', '@/*', '--yes']
  const created = await finish(
    'npx',
    ['--yes', 'create-next-app@latest', 'my-app', ...options, '--skip-install', '--disable-git'],
    parent,
  )
  if (created.code === 0) {
    // The generated layout loads its fonts from the internet at build time, and the tests must not need that.
    await app.write({ 'app/layout.tsx': layout(`import './globals.css'\n`) })
    return
  }
  console.log(`create-next-app can't be had; a minimal app takes its place.\n${created.output}`)
  await app.write(await minimalApp())
}

function layout(imports = ''): string {
  return `${imports}import type { ReactNode } from 'react'
export default function Layout({ children }: { children: ReactNode }) {
  return <html lang="en"><body>{children}</body></html>
}
`
}

/** In the versions that this repository has. */
async function minimalApp(): Promise<Files> {
  const names = ['next', 'react', 'react-dom', 'typescript', '@types/node', '@types/react']
  const versions = await Promise.all(
    names.map(async (name) => [name, await versionOf(name)] as const),
  )
  return {
    'package.json': JSON.stringify({
      private: true,
      dependencies: Object.fromEntries(versions),
    }),
    'tsconfig.json': JSON.stringify({ compilerOptions: { paths: { '@/*': ['./*'] } } }),
    'next.config.ts': 'export default { cacheComponents: true, partialPrefetching: true }',
    'app/layout.tsx': layout(),
    'app/page.tsx': 'export default function Page() { return <p>Home</p> }',
  }
}

/** The range that this repository has of a package. */
async function versionOf(name: string): Promise<string> {
  const { dependencies, devDependencies } = JSON.parse(
    await readFile(join(root, 'package.json'), 'utf8'),
  ) as Record<'dependencies' | 'devDependencies', Record<string, string>>
  const version = { ...dependencies, ...devDependencies }[name]
  if (version === undefined) throw new Error(`package.json has no ${name}.`)
  return version
}

async function documentedFiles(): Promise<Files> {
  const [readme, guide] = await Promise.all(
    ['package/README.md', 'docs/guide.md'].map((page) => readFile(join(root, page), 'utf8')),
  )
  const files = Object.fromEntries(filesIn(readme ?? ''))
  delete files['instrumentation.ts']
  const ofGuide = new Map(filesIn(guide ?? ''))
  const take = (name: string, as = name): void => {
    const text = ofGuide.get(name)
    if (text === undefined) throw new Error(`docs/guide.md has no ${name}.`)
    files[as] = text
  }
  for (const name of [
    'worker.ts',
    'app/board/page.tsx',
    'app/board/board.tsx',
    'app/ticks/route.ts',
    'app/health/route.ts',
    'app/metrics/route.ts',
    'model.ts',
    'chats.ts',
    'app/api/chat/route.ts',
    'app/chat/[id]/actions.ts',
    'app/chat/[id]/chat.tsx',
    'app/chat/[id]/page.tsx',
    'topics.ts',
    'live.ts',
    'app/live/[topics]/route.ts',
    'app/stock/actions.ts',
    'app/stock/page.tsx',
    'app/stock/hooks.ts',
    'app/stock/sales.tsx',
  ]) {
    take(name)
  }
  // The README has a simpler page in the folder of this one.
  for (const name of ['actions.ts', 'import.tsx', 'page.tsx']) {
    take(`app/import/${name}`, `app/shared-import/${name}`)
  }
  return files
}

async function mustRun(program: string, args: string[], folder: string): Promise<string> {
  const { code, output } = await finish(program, args, folder)
  if (code === 0) return output
  throw new Error(`${program} ${args.join(' ')} failed:\n${output}`)
}

async function finish(
  program: string,
  args: string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<Finished> {
  const options = {
    cwd,
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1', ...env },
    encoding: 'utf8' as const,
    maxBuffer: 2 ** 26,
    timeout: runTimeoutMs,
  }
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, options)
    return { code: 0, output: stdout + stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string }
    // It could not be started, or was ended because it took too long.
    if (typeof code !== 'number')
      throw new Error(`${program}:\n${stdout}${stderr}`, { cause: error })
    return { code, output: stdout + stderr }
  }
}
