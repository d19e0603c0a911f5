import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseCursor } from '@/protocol/cursor'
import type { EventLog } from '@/server/log/event-log'
import { openSqliteLog } from './sqlite-log'

const retention = { maxCount: 10_000, maxAgeMs: 3_600_000 }
/** Long, because processes start slowly on a busy machine. */
const timeout = 30_000
const children: ChildProcess[] = []
let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sqlite-processes-'))
  file = join(folder, 'new', 'events.db')
})

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

describe('several processes on one file', () => {
  test(
    'processes that append at once to a file that none of them has created agree on what was',
    { timeout },
    async () => {
      const processes = ['a', 'b', 'c'].map((topic) => startProcess(appendAndFollow(topic, 90)))

      const sequences = await Promise.all(processes.map(outputOf))

      const log = openSqliteLog({ file, ...retention })
      const kept = await dataOf(log)
      await log.close()
      expect(kept).toHaveLength(90)
      for (const sequence of sequences) expect(JSON.parse(sequence)).toEqual(kept)
      for (const topic of ['a', 'b', 'c']) {
        const own = kept.filter((data) => data.startsWith(topic))
        expect(own).toEqual(Array.from({ length: 30 }, (_, n) => `${topic}${n}`))
      }
    },
  )
})

describe('a full disk', () => {
  test(
    'is unavailable: no append is partial, kept events can be read, and appends work again when there is space',
    { timeout },
    async () => {
      const limited = run('bash', [
        '-c',
        `trap '' XFSZ; ulimit -f 600; exec "$0" --import tsx -e "$1"`,
        process.execPath,
        withLog(fillUp),
      ])

      const report = JSON.parse(await outputOf(limited)) as {
        error: unknown
        appended: number
        read: number
      }

      expect(report.error).toEqual({ name: 'LogError', code: 'unavailable', hasCause: true })
      expect(report.appended).toBeGreaterThan(0)
      expect(report.read).toBe(report.appended)
      const log = openSqliteLog({ file, ...retention })
      expect(await dataOf(log)).toHaveLength(report.appended)
      const { ids } = await log.append('a', [{ type: 'message', data: 'room' }])
      expect(parseCursor(ids[0])?.offset).toBe(report.appended + 1)
      await log.close()
    },
  )
})

// Only root can mount a disk that is small enough to fill.
describe.skipIf(process.getuid?.() !== 0)('a full disk whose events have aged', () => {
  test('recovers by itself', { timeout }, async () => {
    const limited = run('unshare', [
      '--mount',
      'bash',
      '-c',
      `mount -t tmpfs -o size=24m tmpfs "$2" && exec "$0" --import tsx -e "$1"`,
      process.execPath,
      withLog(fillUpAndAge, { ...retention, maxAgeMs: 2_000 }),
      folder,
    ])

    const report = JSON.parse(await outputOf(limited)) as { codes: string[]; ids: string[] }

    expect(new Set(report.codes)).toEqual(new Set(['unavailable']))
    expect(report.ids).toHaveLength(10)
  })
})

/** Appends until the disk is full, and then until there is space again. */
const fillUpAndAge = `
  const ten = Array.from({ length: 10 }, () => ({ type: 'message', data: 'x'.repeat(2000) }))
  const codes = []
  let ids
  while (codes.length === 0) await log.append('a', ten).catch(({ code }) => codes.push(code))
  while (!ids) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    await log.append('a', ten).then((answer) => (ids = answer.ids), ({ code }) => codes.push(code))
  }
  console.log(JSON.stringify({ codes, ids }))
`

const fillUp = `
  const ten = Array.from({ length: 10 }, () => ({ type: 'message', data: 'x'.repeat(2000) }))
  let appended = 0
  let error
  while (!error) {
    await log.append('a', ten).then(() => (appended += 10), (reason) => (error = reason))
  }
  const after = { ...(await log.head()), offset: 0 }
  const { events } = await log.read({ after, limit: 1e6, maxBytes: 1e9 })
  const { name, code, cause } = error
  const hasCause = cause instanceof Error
  console.log(JSON.stringify({ error: { name, code, hasCause }, appended, read: events.length }))
`

/** Appends thirty events one by one, reads until there are `total` events, and prints their data. */
function appendAndFollow(topic: string, total: number): string {
  return `
    const seen = []
    let after = { ...(await log.head()), offset: 0 }
    const ended = new AbortController()
    const complete = new Promise((resolve, reject) => {
      async function follow() {
        for (;;) {
          const { events, through } = await log.read({ after, limit: 20, maxBytes: 1e6 })
          seen.push(...events.map(({ data }) => data))
          if (through.offset === after.offset) break
          after = through
        }
        if (seen.length >= ${total}) resolve()
      }
      let following = Promise.resolve()
      const onChange = () => { following = following.then(follow).catch(reject) }
      log.watch(onChange, { signal: ended.signal })
      onChange()
    })
    for (let n = 0; n < 30; n++) await log.append('${topic}', [{ type: 'message', data: '${topic}' + n }])
    await complete
    ended.abort()
    console.log(JSON.stringify(seen))
  `
}

function startProcess(script: string): ChildProcess {
  return run(process.execPath, ['--import', 'tsx', '-e', withLog(script)])
}

function run(command: string, args: string[]): ChildProcess {
  const child = spawn(command, args)
  children.push(child)
  return child
}

/** A script for a process that runs in the root of the project. */
function withLog(script: string, limits = retention): string {
  return `
    const { openSqliteLog } = require('./server/log/sqlite/sqlite-log.ts')
    async function main() {
      const log = openSqliteLog(${JSON.stringify({ file, ...limits })})
      ${script}
      await log.close()
    }
    main()
  `
}

async function outputOf(child: ChildProcess): Promise<string> {
  const { stdout, stderr } = child
  if (!stdout || !stderr) throw new Error('The process has no output.')
  const [output, errors] = await Promise.all([text(stdout), text(stderr), once(child, 'close')])
  if (child.exitCode !== 0) throw new Error(errors)
  return output
}

async function dataOf(log: EventLog): Promise<string[]> {
  const after = { ...(await log.head()), offset: 0 }
  const { events } = await log.read({ after, limit: 10_000, maxBytes: 64 * 1024 * 1024 })
  return events.map(({ data }) => data)
}
