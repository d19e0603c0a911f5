import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

test('hooks/ is within 6 kB of gzipped script, and needs nothing but React at run time', async () => {
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: "export * from './use-event-source'; export * from './use-topics'",
      resolveDir: __dirname,
    },
    alias: { '@': join(__dirname, '..') },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    external: ['react'],
    metafile: true,
    write: false,
  })

  const bytes = gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length
  console.log(`hooks/: ${bytes} bytes gzipped`)
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports)
  expect(new Set(imports.map(({ path }) => path))).toEqual(new Set(['react']))
  expect(bytes).toBeLessThanOrEqual(6_000)
})
