/** The types of defined topics, with the oldest compiler that they are meant for. */
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'playwright/test'

const root = join(__dirname, '..', '..')
/** Files that are tests because they compile, `@ts-expect-error` included. */
const typeTests = [
  'protocol/topics/topic-types.test.ts',
  'server/sse/sse-topics.test.ts',
  'hooks/create-hooks.test.tsx',
  'hooks/create-hooks-run.test.tsx',
]

test(
  'The tests of types compile with TypeScript 5.9, too',
  { tag: '@soak-only' },
  async ({}, testInfo) => {
    const folder = testInfo.outputPath()
    await mkdir(folder, { recursive: true })
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: join(root, 'tsconfig.json'),
        compilerOptions: { incremental: false, plugins: [] },
        include: typeTests.map((file) => join(root, file)),
      }),
    )

    const compiler = join(root, 'node_modules', 'typescript-5.9', 'bin', 'tsc')
    const run = (...args: string[]): Promise<{ stdout: string }> =>
      promisify(execFile)(process.execPath, [compiler, '--pretty', 'false', ...args]).catch(
        ({ stdout }: { stdout: string }) => ({ stdout }),
      )

    expect((await run('--version')).stdout).toContain('Version 5.9')
    expect((await run('-p', folder)).stdout).toBe('')
  },
)
