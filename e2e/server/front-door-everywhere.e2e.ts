/** The suite of the front door, run again by other versions of Node, of Next, and on other kinds of builds. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { appendFile, cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'playwright/test'

const run = promisify(execFile)
const root = join(__dirname, '..', '..')
const timeoutMs = 900_000

interface Place {
  /** The folder of the app, which is built. Default: this repository. */
  folder?: string
  /** The Node that runs the suite and all its servers. Default: this one. */
  node?: string
  env?: Record<string, string>
}

/** Runs the suite as the gate does. */
async function expectSuiteToPass({
  folder = root,
  node = process.execPath,
  env,
}: Place): Promise<void> {
  const results = await mkdtemp(join(tmpdir(), 'next-sse-door-'))
  const suite = ['--project=gate', 'e2e/server/front-door', '--reporter=list', '--output', results]
  const cli = join(folder, 'node_modules/playwright/cli.js')
  const { failed, output } = await finish(node, [cli, 'test', '-c', 'e2e', ...suite], folder, env)
  await rm(results, { recursive: true, force: true })
  expect(failed, output.slice(-20_000)).toBe(false)
  expect(output).toMatch(/\d+ passed/)
}

async function finish(
  program: string,
  args: string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<{ failed: boolean; output: string }> {
  const options = { cwd, env: { ...process.env, ...env }, maxBuffer: 2 ** 26, timeout: timeoutMs }
  try {
    const { stdout, stderr } = await run(program, args, options)
    return { failed: false, output: stdout + stderr }
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    return { failed: true, output: `${stdout}${stderr}${String(error)}` }
  }
}

async function mustRun(program: string, args: string[], cwd: string): Promise<void> {
  const { failed, output } = await finish(program, args, cwd)
  if (failed) throw new Error(`${program} ${args.join(' ')} failed:\n${output}`)
}

/** A copy of this repository, as Git has it and with what has changed; its packages are hard links. */
async function copyRepository(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'next-sse-copy-'))
  const { stdout } = await run('git', ['ls-files', '-z', '-co', '--exclude-standard'], {
    cwd: root,
    maxBuffer: 2 ** 26,
  })
  const names = stdout.split('\0').filter((name) => name !== '' && existsSync(join(root, name)))
  for (const name of names) await cp(join(root, name), join(folder, name))
  await mustRun('cp', ['-al', join(root, 'node_modules'), folder], root)
  // npm writes into this one, and it is a link.
  await rm(join(folder, 'node_modules/.package-lock.json'), { force: true })
  return folder
}

const next = 'node_modules/next/dist/bin/next'
const quiet = ['--no-audit', '--no-fund', '--loglevel=error']

test.describe('The suite of the front door passes @soak-only', () => {
  test.setTimeout(timeoutMs)

  let folder: string | undefined

  test.afterEach(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true })
    folder = undefined
  })

  for (const version of ['20.19', '22', '24']) {
    test(`on Node ${version}`, async () => {
      folder = await mkdtemp(join(tmpdir(), 'next-sse-node-'))
      await mustRun('npm', ['install', ...quiet, '--prefix', folder, `node@${version}`], folder)
      const node = join(folder, 'node_modules/node/bin/node')
      const { stdout } = await run(node, ['--version'])
      expect(stdout).toContain(`v${version}.`)

      await expectSuiteToPass({ node })
    })
  }

  test('on a standalone build', async () => {
    await expectSuiteToPass({ env: { SERVER_COMMAND: 'standalone' } })
  })

  test('on a build by webpack', async () => {
    folder = await copyRepository()
    await mustRun(process.execPath, [next, 'build', '--webpack'], folder)

    await expectSuiteToPass({ folder })
  })

  test('on Next 16.2', async () => {
    folder = await copyRepository()
    // That Next asks TypeScript for functions which TypeScript 7 does not have. `npm run check` has judged the types.
    const older = ['next@~16.2.0', 'typescript@~5.9.0']
    await mustRun('npm', ['install', ...quiet, '--no-save', ...older], folder)
    const config = 'module.exports.typescript = { ignoreBuildErrors: true }\n'
    await appendFile(join(folder, 'next.config.js'), config)
    await mustRun(process.execPath, [next, 'build'], folder)

    await expectSuiteToPass({ folder })
  })
})
