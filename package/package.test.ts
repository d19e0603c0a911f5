/** The package as it is published: built, packed, and checked by the tools that check packages. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { packOnce } from '@/test/programs/pack-once'

const run = promisify(execFile)
const root = join(__dirname, '..')
const dist = join(__dirname, 'dist')
const manifest = JSON.parse(readFileSync(join(__dirname, 'package.json'), 'utf8')) as Manifest
const tarball = join(__dirname, `next-sse-${manifest.version}.tgz`)

interface Manifest {
  version: string
  dependencies: Record<string, string>
  peerDependencies: Record<string, string>
}

beforeAll(packOnce, 120_000)

describe('the package', () => {
  test('is at most 200 kB', () => {
    expect(statSync(tarball).size).toBeLessThanOrEqual(200_000)
  })

  test('is as publint wants it', async () => {
    const { stdout } = await run('npx', ['publint', '--strict', 'package'], { cwd: root })

    expect(stdout).toContain('All good!')
  }, 60_000)

  test('has types that all resolvers of ES modules find', async () => {
    await run('npx', ['attw', tarball, '--profile', 'esm-only'], { cwd: root })
  }, 60_000)

  test('needs what it imports, in the versions that this repository tests, and no more', () => {
    const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>
      devDependencies: Record<string, string>
    }
    const installed = { ...own.devDependencies, ...own.dependencies }
    const { dependencies, peerDependencies } = manifest

    const imported = new Set(
      filesOf(dist).flatMap((file) => packagesOf(readFileSync(file, 'utf8'))),
    )

    const provided = new Set(['react', 'next', 'server-only'])
    expect(new Set(Object.keys(dependencies).concat('ioredis', 'ai'))).toEqual(
      new Set([...imported].filter((name) => !provided.has(name))),
    )
    for (const [name, range] of Object.entries(dependencies)) expect(installed[name]).toBe(range)
    for (const name of ['ioredis', 'ai', '@ai-sdk/react']) {
      expect(installed[name]).toBe(peerDependencies[name])
    }
  })

  test('loads no React and nothing of Next in a script', async () => {
    // Module hooks: a script that imports one of them fails.
    const hooks = `export function resolve(name, context, next) {
      if (/^(?:react|next)(?:$|[/-])/.test(name)) throw new Error('It imports ' + name)
      return next(name, context)
    }`
    const register = `import { register } from 'node:module'; register(${JSON.stringify(asUrl(hooks))})`
    const script = `
      import { createSse } from ${JSON.stringify(join(dist, 'package', 'index.js'))}
      const sse = createSse()
      await sse.publish('orders', 'order.paid', { amount: 1 })
      console.log((await sse.cursor()) === (await sse.cursor('orders')))
      await sse.close()`

    const { stdout } = await run(
      process.execPath,
      ['--import', asUrl(register), '--input-type=module', '-e', script],
      { env: { ...process.env, EVENTS_URL: 'memory:' } },
    )

    expect(stdout.trim().split('\n').at(-1)).toBe('true')
  }, 30_000)

  test('has for the Edge runtime the names that it has for Node', async () => {
    const onNode = Object.keys(await import('./index'))

    const onEdge = readFileSync(join(dist, 'package', 'not-on-edge.js'), 'utf8')
    const [, names = ''] = /export const \{([^}]+)\}/.exec(onEdge) ?? []
    expect(new Set(names.match(/\w+/g))).toEqual(new Set(onNode))
  })

  test('declares what package/declarations.txt says: run `npx vitest run package -u` to change it', async () => {
    await expect(publicDeclarations()).toMatchFileSnapshot('declarations.txt')
  })
})

function asUrl(code: string): string {
  return `data:text/javascript,${encodeURIComponent(code)}`
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:js|d\.ts)$/.test(name))
    .map((name) => join(folder, name))
}

function packagesOf(code: string): string[] {
  const specifiers = withoutComments(code).matchAll(
    /\bfrom ['"]([^.'"][^'"]*)['"]|^import ['"]([^.'"][^'"]*)['"]|\bimport\(['"]([^.'"][^'"]*)['"]\)/gm,
  )
  return Array.from(specifiers, ([, named, bare, dynamic]) => named ?? bare ?? dynamic ?? '')
    .filter((name) => !name.startsWith('node:'))
    .map((name) =>
      name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/'),
    )
}

function withoutComments(code: string): string {
  return code.replaceAll(/\/\*[^]*?\*\//g, '')
}

/** Those of the entries, and of all files that they lead to, without comments: each file once, in the order in which it is first named. */
function publicDeclarations(): string {
  const texts = new Map<string, string>()
  const add = (file: string): void => {
    if (texts.has(file)) return
    const text = withoutComments(readFileSync(file, 'utf8')).replaceAll(/^\s*\n/gm, '')
    texts.set(file, text)
    for (const [, specifier] of text.matchAll(/['"](\.[^'"]+)\.js['"]/g)) {
      add(join(dirname(file), `${specifier}.d.ts`))
    }
  }
  for (const entry of ['index', 'topics', 'react', 'client', 'ai', 'ai-react', 'instrumentation']) {
    add(join(dist, 'package', `${entry}.d.ts`))
  }
  return [...texts].map(([file, text]) => `// ${relative(dist, file)}\n${text}`).join('\n')
}
