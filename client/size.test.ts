import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, type Metafile } from 'esbuild'
import { expect, test } from 'vitest'

test('hooks/ is within 7 kB of gzipped script, and needs nothing but React at run time; sharing, fetch and the reasons of refusals come on top when they are needed', async () => {
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: "export * from '@/hooks/use-event-source'; export * from '@/hooks/use-topics'",
      resolveDir: __dirname,
    },
    alias: { '@': join(__dirname, '..') },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    splitting: true,
    outdir: __dirname,
    external: ['react'],
    metafile: true,
    write: false,
    absWorkingDir: __dirname,
  })

  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports)
  const entries = Object.keys(metafile.outputs).filter((name) => metafile.outputs[name]?.entryPoint)
  const onDemand = imports.filter(({ kind }) => kind === 'dynamic-import').map(({ path }) => path)
  const atOnce = filesOf(
    metafile,
    entries.filter((name) => !onDemand.includes(name)),
  )
  const textOf = new Map(outputFiles.map(({ path, text }) => [basename(path), text]))
  const sizeOf = (names: Iterable<string>): number =>
    gzipSync(Array.from(names, (name) => textOf.get(name)).join(''), { level: 9 }).length
  const bytes = sizeOf(atOnce)
  console.log(`hooks/: ${bytes} bytes gzipped`)
  for (const name of new Set(onDemand)) {
    const more = [...filesOf(metafile, [name])].filter((file) => !atOnce.has(file))
    console.log(`${name}: ${sizeOf(more)} bytes gzipped`)
  }
  const ofOthers = imports.filter(({ external }) => external)
  expect(new Set(ofOthers.map(({ path }) => path))).toEqual(new Set(['react']))
  expect(new Set(onDemand).size).toBe(3)
  expect(bytes).toBeLessThanOrEqual(7_000)
})

/** These files, and all that they import at once. */
function filesOf({ outputs }: Metafile, names: readonly string[]): Set<string> {
  const files = new Set(names)
  // A set that grows while it is walked is walked to its end.
  for (const name of files) {
    for (const { path, kind, external } of outputs[name]?.imports ?? []) {
      if (kind === 'import-statement' && !external) files.add(path)
    }
  }
  return files
}
