/** The checker itself: it finds nothing where nothing is wrong, and it notices each kind of broken promise. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'playwright/test'

const script = join(__dirname, 'run.ts')

/** Runs it for a short while without other faults than the one planted. */
async function runChecker(...args: string[]): Promise<{ code: unknown; output: string }> {
  const all = ['--engine', 'sqlite', '--seconds', '20', '--faults', 'off', ...args]
  const checker = spawn(process.execPath, [require.resolve('tsx/cli'), script, ...all])
  let output = ''
  for (const stream of [checker.stdout, checker.stderr]) {
    stream.on('data', (piece: Buffer) => (output += piece.toString()))
  }
  const [code] = await once(checker, 'exit')
  return { code, output }
}

for (const args of [[], ['--sessions']]) {
  const what = `The checker finds nothing wrong with servers that are left alone ${args.join()}`
  test(what, { tag: '@soak-only' }, async () => {
    const { code, output } = await runChecker(...args)

    expect(output).toContain(' 0 violations')
    expect(code).toBe(0)
  })
}

for (const [planted, violation, ...args] of [
  ['dropped', 'lost'],
  ['doubled-id', 'id-twice'],
  ['wrong-reader', 'wrong-reader'],
  ['unheard', 'shown-without-right', '--sessions'],
] as const) {
  test(`The checker fails when a fault is planted: ${planted}`, { tag: '@soak-only' }, async () => {
    const { code, output } = await runChecker('--plant', planted, ...args)

    expect(output).toContain(`VIOLATION ${violation}`)
    expect(code).toBe(1)
  })
}
