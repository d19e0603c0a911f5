/**
 * Looks for broken promises: `npx tsx e2e/checker/run.ts [--engine sqlite|redis] [--seconds 600] [--seed N] [--servers 3]`.
 * Without an engine it runs both, side by side. Needs a production build. Exits with 1 when a promise was broken.
 * `--sessions` checks rights that end: logins, renewals, logouts and disconnects, with two servers.
 * `--plant dropped|doubled-id|wrong-reader`, or with sessions `unheard`, breaks one on purpose; `--faults off` leaves all else alone.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { findServer } from '../../test/programs/find-server'
import { check, type Outcome } from './checker'
import { plantedKinds } from './planted-fault'
import { checkSessions } from './sessions/check-sessions'
import type { Engine } from './setting'

const { values } = parseArgs({
  options: {
    engine: { type: 'string' },
    seconds: { type: 'string', default: '600' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    servers: { type: 'string' },
    readers: { type: 'string', default: '48' },
    faults: { type: 'string', default: 'on' },
    plant: { type: 'string' },
    sessions: { type: 'boolean', default: false },
  },
})
const { engine } = values

const interruption = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interruption.abort())

void (engine === undefined ? runBoth() : runOne(engine)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error)
    process.exit(1)
  },
)

async function runBoth(): Promise<number> {
  const engines: Engine[] = findServer('redis') === undefined ? ['sqlite'] : ['sqlite', 'redis']
  const codes = await Promise.all(
    engines.map(async (each) => {
      const args = [...process.execArgv, ...process.argv.slice(1), '--engine', each]
      const child = spawn(process.execPath, args, { stdio: 'inherit' })
      interruption.signal.addEventListener('abort', () => child.kill())
      const [code] = await once(child, 'exit')
      return code === 0 ? 0 : 1
    }),
  )
  return Math.max(...codes)
}

async function runOne(name: string): Promise<number> {
  if (name !== 'sqlite' && name !== 'redis') throw new Error('--engine is sqlite or redis.')
  const seed = Number(values.seed)
  const say = (line: string): void => {
    console.log(`${new Date().toISOString().slice(11, 19)} ${name}: ${line}`)
  }
  say(`seed ${seed}, ${values.seconds} s`)
  const outcome = await (values.sessions ? checkSessions : check)({
    engine: name,
    seconds: Number(values.seconds),
    seed,
    servers: Number(values.servers ?? (values.sessions ? 2 : 3)),
    readers: Number(values.readers),
    hasFaults: values.faults !== 'off',
    signal: interruption.signal,
    planted: plantedKinds.find((kind) => kind === values.plant),
    say,
  })
  print(outcome, say)
  say(`seed ${seed}: ${outcome.violations.length} violations`)
  return outcome.violations.length === 0 ? 0 : 1
}

function print({ violations, counts }: Outcome, say: (line: string) => void): void {
  for (const [what, count] of Object.entries(counts)) say(`${count} ${what}`)
  for (const kind of new Set(violations.map((violation) => violation.kind))) {
    const ofKind = violations.filter((violation) => violation.kind === kind)
    const [{ message, at, context } = { message: '', at: 0, context: [] }] = ofKind
    say(`VIOLATION ${kind}, ${ofKind.length} times, first at ${new Date(at).toISOString()}:`)
    say(`  ${message}`)
    for (const line of context) say(`    ${line}`)
  }
}
