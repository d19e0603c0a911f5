/**
 * The bench: ours beside other servers, one after another on the same machine in the same run, with the same work. Linux alone, on
 * 127.0.0.1 alone. `npm run bench -- --help` tells what can be asked for.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startRemote } from './load/remote'
import type { Generator } from './load/generator'
import { catchUp } from './parts/catch-up'
import { connecting } from './parts/connecting'
import { fanOut } from './parts/fan-out'
import { greetings } from './parts/greetings'
import { idle } from './parts/idle'
import { topic, type Figures, type Load, type Part } from './parts/part'
import { publish } from './parts/publish'
import { replay } from './parts/replay'
import { runs } from './parts/runs'
import { sustained } from './parts/sustained'
import {
  currentLoad,
  describeMachine,
  faultsOf,
  format,
  medians,
  tableOf,
  type Circumstances,
  type Result,
} from './report'
import { writeSection } from './docs-section'
import type { BenchServer } from './servers/bench-server'
import { nchan } from './servers/nchan'
import { ours, otherCheckout, plainRoute } from './servers/next-apps'
import { bareNode, betterSse, hono } from './servers/node-servers'
import { rails } from './servers/rails'
import { parseSettings, usage, type Settings } from './settings'

const parts = [fanOut, sustained, idle, connecting, publish, replay, catchUp, greetings, runs]
const servers = [ours, plainRoute, betterSse, bareNode, hono, nchan, rails]
const loadTimeoutMs = 300_000
const resultsFile = join(__dirname, '..', 'test-results', 'bench.json')

/** The processes to end when the bench is interrupted. */
const running = new Set<() => Promise<void>>()
let interrupted = false

async function main(): Promise<void> {
  const args = process.argv.slice(2)
  if (args.includes('--help')) {
    console.log(`${usage}\nParts: ${namesOf(parts)}.\nServers: ${namesOf(servers)}.`)
    return
  }
  const settings = parseSettings(args)
  const asked = choose('part', parts, settings.parts)
  const serversOf = new Map(asked.map((part) => [part, chooseServers(part, settings)]))
  const present = [...new Set([...serversOf.values()].flat())]
  const circumstances: Circumstances = {
    command: ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
    date: new Date().toISOString().slice(0, 10),
    node: process.versions.node,
    machine: describeMachine(),
    loads: [currentLoad(), NaN],
    runs: settings.runs,
    servers: Object.fromEntries(present.map(({ name, title }) => [name, title])),
  }
  console.log(`Node ${circumstances.node}, ${circumstances.machine}`)
  for (const { name, title } of present) console.log(`  ${name.padEnd(12)} ${title}`)
  for (const { name, build } of present) {
    if (build === undefined || !settings.build) continue
    console.log(`Building ${name} …`)
    build()
  }

  const results: Result[] = []
  for (const part of asked) {
    results.push(...(await measurePart(part, serversOf.get(part) ?? [], settings)))
    circumstances.loads[1] = currentLoad()
    // Written after each part, so that an interrupted run keeps what it has measured.
    mkdirSync(join(resultsFile, '..'), { recursive: true })
    writeFileSync(resultsFile, `${JSON.stringify({ ...circumstances, results }, undefined, 2)}\n`)
    if (settings.docs) writeSection(part, results, circumstances)
    console.log(`\n${part.title}\n\n${tableOf(part, results)}\n\n${faultsOf(part, results)}`)
  }
  console.log(`All of it is in ${resultsFile}`)
}

/** Runs every load on every server in turn, once for each run: so a disturbance of the machine affects all servers. */
async function measurePart(
  part: Part,
  present: BenchServer[],
  settings: Settings,
): Promise<Result[]> {
  const loads = part
    .loads(settings)
    .filter(
      ({ name }) =>
        settings.loads.length === 0 || settings.loads.some((text) => name.startsWith(text)),
    )
  const results = loads.flatMap((load) =>
    present
      .filter((server) => load.canBe(server))
      .map((server) => {
        const result: Result = {
          part: part.name,
          load: load.name,
          server: server.name,
          figures: {},
          runs: [],
          faults: [],
        }
        return { load, server, result }
      }),
  )
  for (let run = 1; run <= settings.runs; run++) {
    for (const { load, server, result } of results) {
      const where = `${part.name}, run ${run} of ${settings.runs}: ${load.name}, ${server.name}`
      try {
        const figures = await measureOnce(load, server, settings)
        result.runs.push(figures)
        console.log(`${where}: ${summaryOf(figures)}`)
      } catch (error) {
        if (interrupted) throw error
        const message = error instanceof Error ? error.message : String(error)
        result.faults.push(message.split('\n')[0] ?? '')
        console.log(`${where}: failed: ${message}`)
      }
    }
  }
  return results.map(({ result }) => ({ ...result, figures: medians(result.runs) }))
}

async function measureOnce(load: Load, about: BenchServer, settings: Settings): Promise<Figures> {
  const server = await about.start()
  running.add(server.stop)
  const generator = startRemote<Generator>(join(__dirname, 'load', 'generator.ts'))
  running.add(generator.stop)
  let timer: NodeJS.Timeout | undefined
  try {
    if (interrupted) throw new Error('Interrupted.')
    await generator.methods.aim({
      port: server.port,
      path: server.path(topic),
      headers: server.headers,
    })
    const inTime = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('It took too long.')), loadTimeoutMs)
    })
    const bench = { about, server, generator: generator.methods, settings }
    return await Promise.race([load.measure(bench), inTime])
  } finally {
    clearTimeout(timer)
    await generator.stop()
    await server.stop()
    running.delete(generator.stop)
    running.delete(server.stop)
  }
}

function chooseServers(part: Part, settings: Settings): BenchServer[] {
  const { own, other } = part.servers ?? { own: servers, other: otherCheckout }
  const asked =
    settings.servers.length === 0
      ? own.filter(({ common }) => common || settings.all)
      : choose('server', own, settings.servers)
  const { against } = settings
  const all = against === undefined ? asked : [...asked, ...other(against)]
  return all.filter(({ name, missing }) => {
    const reason = missing?.()
    if (reason !== undefined) console.log(`${name} is skipped: ${reason}.`)
    return reason === undefined
  })
}

/** @throws nothing has that name */
function choose<T extends { name: string }>(kind: string, all: T[], names: string[]): T[] {
  const unknown = names.find((name) => !all.some((one) => one.name === name))
  if (unknown !== undefined) {
    throw new Error(`There is no ${kind} ${unknown}, but: ${namesOf(all)}.`)
  }
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name))
}

function namesOf(all: { name: string }[]): string {
  return all.map(({ name }) => name).join(', ')
}

function summaryOf(figures: Figures): string {
  return Object.entries(figures)
    .slice(0, 3)
    .map(([name, value]) => `${name} ${format(value)}`)
    .join(' · ')
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    interrupted = true
    for (const stop of running) void stop()
  })
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})
