import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

/** Runs the code as Next runs server code: with the React of server components. */
async function run(code: string, env: Record<string, string>): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=react-server', '--import', 'tsx', '--eval', code],
    { cwd: join(__dirname, '../..'), env: { ...process.env, NODE_ENV: 'production', ...env } },
  )
  return stdout
}

const code = `
  const { createElement } = require('react')
  const { renderToReadableStream } = require('next/dist/compiled/react-server-dom-turbopack/server.node')
  const { isRendering } = require('./server/sse/is-rendering')
  async function Component() {
    await new Promise((resolve) => setTimeout(resolve, 5))
    return 'rendering: ' + (await isRendering())
  }
  async function main() {
    const before = await isRendering()
    const rendered = await new Response(renderToReadableStream(createElement(Component), {})).text()
    console.log(before, /rendering: \\w+/.exec(rendered)[0], await isRendering())
  }
  main()`

test('a server component is rendering, after its awaits too; other code is not', async () => {
  expect(await run(code, { NEXT_RUNTIME: 'nodejs' })).toBe('false rendering: true false\n')
})

test('outside of Next nothing renders, and React is not loaded', async () => {
  const script = `
    require('./server/sse/is-rendering').isRendering().then((is) =>
      console.log(is, Object.keys(require.cache).some((file) => file.includes('/react/'))))`

  expect(await run(script, { NEXT_RUNTIME: '' })).toBe('false false\n')
})
