import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, type OutputFile } from 'esbuild'
import { expect, test } from 'vitest'

test('hooks/ is within 7 kB of gzipped script, and needs nothing but React at run time; sharing and fetch come on top where they are asked for', async () => {
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
  })

  const onDemand = /join-shared-stream|fetch-source/
  const [more, loaded] = [true, false].map((isMore) =>
    outputFiles.filter(({ path }) => onDemand.test(path) === isMore),
  ) as [OutputFile[], OutputFile[]]
  const bytes = sizeOf(loaded)
  for (const file of more) console.log(`${basename(file.path)}: ${sizeOf([file])} bytes gzipped`)
  console.log(`hooks/: ${bytes} bytes gzipped`)
  expect(more).toHaveLength(2)
  const imports = Object.values(metafile.outputs)
    .flatMap((output) => output.imports)
    .filter(({ external }) => external)
  expect(new Set(imports.map(({ path }) => path))).toEqual(new Set(['react']))
  expect(bytes).toBeLessThanOrEqual(7_000)
})

function sizeOf(files: readonly OutputFile[]): number {
  return gzipSync(files.map(({ text }) => text).join(''), { level: 9 }).length
}
