/**
 * How long the compiler takes to check an app's defined topics: 50 topics of 10 types, each with a Zod schema of five fields, and 200
 * calls of `publish`. Beside it, the same app without `defineTopics`: the same schemas, and a `publish` that takes anything. Processor
 * time, so that other work of the machine does not count.
 *
 * npx tsx bench/types.ts
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

const root = join(__dirname, '..')
const topicCount = 50
const typeCount = 10
const publishCount = 200
const runs = 5

const schema = `z.object({
  id: z.string(), amount: z.number(), currency: z.enum(['EUR', 'USD']), note: z.string().optional(), lines: z.array(z.object({ sku: z.string(), count: z.int() })),
})`
const data = `{ id: 'a', amount: 1, currency: 'EUR', lines: [{ sku: 'b', count: 2 }] }`

function main(): void {
  execFileSync('npm', ['run', 'pack', '--silent'], { cwd: root, stdio: 'ignore' })
  const table = Object.fromEntries(
    ['typescript', 'typescript-5.9'].map((compiler) => {
      const compile = (isDefined: boolean): number => secondsOf(compiler, isDefined)
      const [defined, plain] = [compile(true), compile(false)]
      return [
        versionOf(compiler),
        { 'defined topics, s': defined, 'without, s': plain, 'more, s': round(defined - plain) },
      ]
    }),
  )
  console.log(
    `${topicCount} topics of ${typeCount} types, ${publishCount} publishes, medians of ${runs}`,
  )
  console.table(table)
}

/** The median processor time of the compiler, from start to end. */
function secondsOf(compiler: string, isDefined: boolean): number {
  mkdirSync(join(root, 'test-results'), { recursive: true })
  const folder = mkdtempSync(join(root, 'test-results', 'types-'))
  try {
    writeApp(folder, isDefined)
    const times = Array.from({ length: runs }, () => {
      const before = cpuOfChildren()
      execFileSync(process.execPath, [compilerPath(compiler), '-p', folder], { stdio: 'inherit' })
      return cpuOfChildren() - before
    })
    return round((times.toSorted((a, b) => a - b)[Math.floor(runs / 2)] ?? NaN) / 100)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function writeApp(folder: string, isDefined: boolean): void {
  const topics = range(topicCount).map((topic) => {
    // Every tenth is a pattern.
    const key = topic % 10 === 0 ? `area${topic}.*` : `topic${topic}`
    const types = range(typeCount).map((type) => `    'type.${type}': ${schema},`)
    return `  '${key}': {\n${types.join('\n')}\n  },`
  })
  const definition = `{\n${topics.join('\n')}\n}`
  const publishes = range(publishCount).map((index) => {
    const topic = index % topicCount
    const name = topic % 10 === 0 ? `\`area${topic}.\${id}\`` : `'topic${topic}'`
    return `  await sse.publish(${name}, 'type.${index % typeCount}', ${data})`
  })
  const files = {
    'topics.ts': isDefined
      ? `import { defineTopics } from 'next-sse/topics'\nimport { z } from 'zod'\nexport const topics = defineTopics(${definition})\n`
      : `import { z } from 'zod'\nexport const topics = ${definition}\n`,
    'publishes.ts': `import { createSse } from 'next-sse'
import { topics } from './topics'
const sse = createSse(${isDefined ? '{ topics }' : ''})
export { topics }
export async function publishAll(id: string): Promise<void> {
${publishes.join('\n')}
}
`,
    'tsconfig.json': JSON.stringify({
      compilerOptions: {
        target: 'ES2022',
        lib: ['dom', 'esnext'],
        module: 'esnext',
        moduleResolution: 'bundler',
        strict: true,
        skipLibCheck: true,
        noEmit: true,
        types: ['node'],
        paths: {
          'next-sse': [`${relative(folder, root)}/package/dist/package/index.d.ts`],
          'next-sse/*': [`${relative(folder, root)}/package/dist/package/*.d.ts`],
        },
      },
      include: ['*.ts'],
    }),
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
}

/** Of the programs that have ended, in hundredths of a second. */
function cpuOfChildren(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8')
  // The name of the program, in parentheses, may have spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[13]) + Number(fields[14])
}

function compilerPath(compiler: string): string {
  return join(root, 'node_modules', compiler, 'bin', 'tsc')
}

function versionOf(compiler: string): string {
  return execFileSync(process.execPath, [compilerPath(compiler), '--version'], { encoding: 'utf8' })
    .replace('Version', 'TypeScript')
    .trim()
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

function round(seconds: number): number {
  return Math.round(seconds * 100) / 100
}

main()
