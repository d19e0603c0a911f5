/** Writes the files that docs/guide.md and the package's README tell a builder to write, and has the compiler judge them. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { filesIn } from '@/test/files-in'

const run = promisify(execFile)
const root = join(__dirname, '..')

const ownOptions = (
  JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')) as { compilerOptions: object }
).compilerOptions
/** What create-next-app 16.4 writes. */
const newAppsOptions = {
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
}

const nextTypes =
  '/// <reference types="next" />\n/// <reference types="next/image-types/global" />\n'

describe.each(['docs/guide.md', 'package/README.md'])('an app made by %s', (page) => {
  test.each([
    ['this project', ownOptions],
    ['create-next-app', newAppsOptions],
  ])(
    'compiles with the settings of %s',
    async (_, options) => {
      expect(await compile(writeApp(page, options))).toBe('')
    },
    60_000,
  )
})

/** Writes the app into a folder from which this project's packages can be found; returns the folder. */
function writeApp(page: string, compilerOptions: object): string {
  mkdirSync(join(root, 'test-results'), { recursive: true })
  const app = mkdtempSync(join(root, 'test-results', 'guide-'))
  onTestFinished(() => rmSync(app, { recursive: true }))
  for (const [file, code] of filesIn(readFileSync(join(root, page), 'utf8'))) {
    mkdirSync(dirname(join(app, file)), { recursive: true })
    writeFileSync(join(app, file), code)
  }
  const toRoot = relative(app, root)
  const paths = {
    'next-sse': [`${toRoot}/package/dist/package/index.d.ts`],
    'next-sse/*': [`${toRoot}/package/dist/package/*.d.ts`],
    '@/*': ['./*'],
  }
  const tsconfig = {
    compilerOptions: { ...compilerOptions, incremental: false, plugins: [], paths },
    include: ['next-env.d.ts', '**/*.ts', '**/*.tsx'],
  }
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify(tsconfig))
  writeFileSync(join(app, 'next-env.d.ts'), nextTypes)
  return app
}

/** What the compiler finds wrong. */
async function compile(app: string): Promise<string> {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { stdout } = await run(tsc, ['--noEmit', '--pretty', 'false'], { cwd: app }).catch(
    (error: { stdout: string; message: string }) => ({ stdout: error.stdout || error.message }),
  )
  return stdout
}
