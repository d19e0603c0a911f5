/** Does what docs/use-it.md tells a builder to do, in a new folder, and has the compiler judge it. */
import { execFile } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'

const run = promisify(execFile)
const root = join(__dirname, '..')
const page = readFileSync(join(__dirname, 'use-it.md'), 'utf8')

const ownConfig = readFileSync(join(root, 'tsconfig.json'), 'utf8')
/** What create-next-app 16.4 writes. */
const newAppsConfig = JSON.stringify({
  compilerOptions: {
    target: 'ES2017',
    lib: ['dom', 'dom.iterable', 'esnext'],
    allowJs: true,
    skipLibCheck: true,
    strict: true,
    noEmit: true,
    esModuleInterop: true,
    module: 'esnext',
    moduleResolution: 'bundler',
    resolveJsonModule: true,
    isolatedModules: true,
    jsx: 'react-jsx',
    incremental: true,
    plugins: [{ name: 'next' }],
    paths: { '@/*': ['./*'] },
  },
  include: ['next-env.d.ts', '**/*.ts', '**/*.tsx', '**/*.mts'],
  exclude: ['node_modules'],
})

/** What any app of Next has installed. */
const ownPackages: ReadonlySet<string> = new Set(['next', 'react', 'react-dom'])
const nextTypes =
  '/// <reference types="next" />\n/// <reference types="next/image-types/global" />\n'

describe('an app made by docs/use-it.md', () => {
  test.each([
    ['this project', ownConfig],
    ['create-next-app', newAppsConfig],
  ])(
    'compiles with the settings of %s',
    async (_, tsconfig) => {
      const app = await followPage(page, tsconfig)

      expect(await compile(app)).toBe('')
    },
    60_000,
  )

  test('installs every package that it imports, and no other', async () => {
    const app = await followPage(page, ownConfig)

    const files = readdirSync(app, { recursive: true, encoding: 'utf8' })
    const imported = files
      .filter((file) => /\.tsx?$/.test(file))
      .flatMap((file) => packagesOf(readFileSync(join(app, file), 'utf8')))
      .filter((name) => !ownPackages.has(name))

    expect(new Set(imported)).toEqual(new Set(packagesInstalled(page)))
  })
})

/** Copies and writes what `text` tells to, into a folder from which this project's packages can be found; returns the folder. */
async function followPage(text: string, tsconfig: string): Promise<string> {
  mkdirSync(join(root, 'test-results'), { recursive: true })
  const folder = mkdtempSync(join(root, 'test-results', 'use-it-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const app = join(folder, 'my-app')
  mkdirSync(app)
  symlinkSync(root, join(folder, 'next-sse'))
  const copying = blocksOf(text, 'sh').filter((block) => /^cp /m.test(block))
  await run('bash', ['-euc', copying.join('\n')], { cwd: app })
  for (const code of [...blocksOf(text, 'ts'), ...blocksOf(text, 'tsx')]) {
    const [, file] = /^\/\/ (\S+)\n/.exec(code) ?? []
    if (file === undefined) throw new Error(`This snippet does not name its file:\n${code}`)
    mkdirSync(dirname(join(app, file)), { recursive: true })
    writeFileSync(join(app, file), code)
  }
  writeFileSync(join(app, 'tsconfig.json'), tsconfig)
  writeFileSync(join(app, 'next-env.d.ts'), nextTypes)
  return app
}

/** What the compiler finds wrong. */
async function compile(app: string): Promise<string> {
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  const { stdout } = await run(tsc, ['--noEmit', '--pretty', 'false'], { cwd: app }).catch(
    (error: { stdout: string; message: string }) => ({ stdout: error.stdout || error.message }),
  )
  return stdout
}

function blocksOf(text: string, language: string): string[] {
  return [...text.matchAll(/^```(\S+)\n([^]*?)^```$/gm)].flatMap(([, own, block = '']) =>
    own === language ? [block] : [],
  )
}

function packagesInstalled(text: string): string[] {
  return blocksOf(text, 'sh').flatMap((block) =>
    [...block.matchAll(/^npm install (?:--save-dev )?(.+)$/gm)].flatMap(([, names = '']) =>
      names.split(' '),
    ),
  )
}

function packagesOf(code: string): string[] {
  return [...code.matchAll(/\bfrom '(?![.]|@\/|node:)((?:@[^/']+\/)?[^/']+)/g)].map(
    ([, name = '']) => name,
  )
}
