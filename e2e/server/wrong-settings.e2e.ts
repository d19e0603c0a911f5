/** Settings with which the server must not start. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from '../../test/fixtures/server-test'

/** Runs `next start` until it ends by itself. */
async function runUntilExit(
  env: Record<string, string>,
): Promise<{ code: number | null; output: string }> {
  const app = join(__dirname, '..', '..')
  const next = join(app, 'node_modules', 'next', 'dist', 'bin', 'next')
  const server = spawn(process.execPath, [next, 'start', '--port', '0'], {
    cwd: app,
    env: { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 20_000,
    killSignal: 'SIGKILL',
  })
  let output = ''
  const read = (chunk: Buffer): void => {
    output += chunk.toString()
  }
  server.stdout.on('data', read)
  server.stderr.on('data', read)
  const [code] = (await once(server, 'close')) as [number | null]
  return { code, output }
}

for (const [name, value] of [
  ['EVENTS_URL', 'postgres://localhost'],
  ['HEARTBEAT', 'soon'],
  ['EVENTS_MAX_COUNT', '0'],
] as const) {
  test(`${name}=${value} keeps the server from starting, and is named`, async () => {
    const { code, output } = await runUntilExit({ [name]: value })

    expect(code).toBe(1)
    expect(output).toContain(`next-sse can't start: ${name} must be`)
  })
}

test('A folder where the file should be keeps the server from starting, and is named', async ({
  folder,
}) => {
  const { code, output } = await runUntilExit({ EVENTS_URL: `file:${folder}` })

  expect(code).toBe(1)
  expect(output).toContain("next-sse can't start: ")
  expect(output).toContain(folder)
})
