/** Writes the files that docs/guide.md and the package's README tell a builder to write, and has the compiler judge them. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { runInNewContext } from 'node:vm'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { readKeep, type Keep } from '@/server/keep'
import { filesIn } from '@/test/files-in'
import { packOnce } from '@/test/programs/pack-once'

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

beforeAll(packOnce, 120_000)

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
    'next-sse/ai/react': [`${toRoot}/package/dist/package/ai-react.d.ts`],
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

test('the rules of docs/guide.md keep what the page says', () => {
  const page = readFileSync(join(root, 'docs/guide.md'), 'utf8')
  const [, code = ''] = filesIn(page).find(([file]) => file === 'kept/sse.ts') ?? []
  const [literal] = /\{\n {4}'chat[^]*?\n {2}\}/.exec(code) ?? []
  const { limitsOf } = readKeep(runInNewContext(`(${literal})`) as Keep)
  const others = { maxCount: 100_000, maxAgeMs: 86_400_000 }

  expect(limitsOf('chat.42', others)).toEqual({ maxCount: 100_000, maxAgeMs: 30 * 86_400_000 })
  expect(limitsOf('log.web', others)).toEqual({ maxCount: 1_000, maxAgeMs: 3_600_000 })
  expect(limitsOf('price.acme', others)).toEqual({ ...others, latest: true })
  expect(limitsOf('price.daily', others)).toEqual(others)
  expect(limitsOf('orders', others)).toBeUndefined()
})
