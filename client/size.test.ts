import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

test('hooks/ is within 6 kB of gzipped script, and needs nothing but React at run time; sharing comes on top where it is asked for', async () => {
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

  const loaded = outputFiles.filter(({ path }) => !/join-shared-stream/.test(path))
  const script = loaded.map(({ text }) => text).join('')
  const bytes = gzipSync(script, { level: 9 }).length
  const shared = outputFiles.filter((file) => !loaded.includes(file))
  console.log(
    `hooks/: ${bytes} bytes gzipped; to share: ${gzipSync(shared[0]?.text ?? '').length} more`,
  )
  expect(shared).toHaveLength(1)
  const imports = Object.values(metafile.outputs)
    .flatMap((output) => output.imports)
    .filter(({ external }) => external)
  expect(new Set(imports.map(({ path }) => path))).toEqual(new Set(['react']))
  expect(bytes).toBeLessThanOrEqual(6_000)
})
