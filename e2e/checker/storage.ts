/** Where the log of a run is kept, as something that can be copied, put back and damaged. */
import { execFile, execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startRedis, type RunningRedis } from '../../test/servers/start-redis'
import { allTopics, type Engine } from './setting'

export interface Storage {
  engine: Engine
  /** `EVENTS_URL` for the servers. */
  url: string
  /** Keeps a copy of what is on the disk now. The servers must not write meanwhile. */
  copy: (name: string) => void
  /** Puts a copy back, in place of what is there. Nobody may have it open. */
  restore: (name: string) => void
  /** Takes all the room that is left on the disk, and gives it back. Undefined where that would hurt others. */
  fill: (() => void) | undefined
  empty: () => void
  /** The offsets of the events in it, by topic, read without the code under test. */
  kept: () => Promise<Map<string, number[]>>
  redis: RunningRedis | undefined
  /** Cuts so many bytes off what Redis wrote last. */
  cutEnd: (bytes: number) => void
  close: () => Promise<void>
}

const runFile = promisify(execFile)
const diskBytes = 256 * 1024 * 1024

export async function openStorage(engine: Engine, say: (line: string) => void): Promise<Storage> {
  return engine === 'sqlite' ? openSqlite(say) : await openRedis()
}

function openSqlite(say: (line: string) => void): Storage {
  const folder = mkdtempSync(join(tmpdir(), 'checker-'))
  const disk = join(folder, 'disk')
  const filler = join(disk, 'filler')
  mkdirSync(disk)
  const isMounted = mountSmallDisk(disk, say)
  return {
    engine: 'sqlite',
    url: `file:${disk}/log/events.db`,
    copy: (name) => cpSync(join(disk, 'log'), join(folder, name), { recursive: true }),
    restore: (name) => replace(join(folder, name), join(disk, 'log')),
    fill: isMounted ? () => fill(filler) : undefined,
    empty: () => rmSync(filler, { force: true }),
    kept: () => keptInFile(join(disk, 'log', 'events.db')),
    redis: undefined,
    cutEnd: () => {},
    async close() {
      if (isMounted) execFileSync('umount', [disk])
      rmSync(folder, { recursive: true })
    },
  }
}

async function openRedis(): Promise<Storage> {
  const copies = mkdtempSync(join(tmpdir(), 'checker-'))
  const redis = await startRedis(['appendonly yes', 'appendfsync always'])
  const live = join(redis.folder, 'appendonlydir')
  return {
    engine: 'redis',
    url: redis.url,
    copy: (name) => cpSync(live, join(copies, name), { recursive: true }),
    restore: (name) => replace(join(copies, name), live),
    fill: undefined,
    empty: () => {},
    kept: () => keptInRedis(redis),
    redis,
    cutEnd(bytes) {
      const manifest = readFileSync(join(live, 'appendonly.aof.manifest'), 'utf8')
      const [, newest] = /file (\S+) seq \d+ type i\s*$/.exec(manifest) ?? []
      if (newest === undefined) return
      const file = join(live, newest)
      const kept = readFileSync(file).subarray(0, -bytes)
      // Whole transactions: Redis 7.0 leaves half of one in the file, and runs it after the next restart.
      const end = kept.lastIndexOf('EXEC\r\n')
      truncateSync(file, end === -1 ? 0 : end + 'EXEC\r\n'.length)
    },
    async close() {
      await redis.stop()
      rmSync(copies, { recursive: true })
    },
  }
}

/** Reads in a process of its own, because the binding keeps a file open after it was closed. */
async function keptInFile(file: string): Promise<Map<string, number[]>> {
  const script = `
    const database = new (require('libsql'))(process.argv[1], { readonly: true })
    const select = 'SELECT name, offset FROM events JOIN topics ON topics.id = topic_id ORDER BY offset'
    console.log(JSON.stringify(database.prepare(select).raw().all()))`
  const options = { maxBuffer: 64 * 1024 * 1024, cwd: __dirname }
  const { stdout } = await runFile(process.execPath, ['-e', script, file], options)
  const kept = new Map<string, number[]>()
  for (const [topic, offset] of JSON.parse(stdout) as [string, number][]) {
    const offsets = kept.get(topic)
    if (offsets) offsets.push(offset)
    else kept.set(topic, [offset])
  }
  return kept
}

async function keptInRedis(redis: RunningRedis): Promise<Map<string, number[]>> {
  const kept = new Map<string, number[]>()
  for (const topic of allTopics) {
    const ids = await redis.command('EVAL', listIds, 1, `{sse}:t:${topic}`)
    kept.set(topic, (ids as string[]).map(parseFloat))
  }
  return kept
}

/** The ids of a stream's entries, such as `12-0`, without what is in them. */
const listIds = `
local ids = {}
for index, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do ids[index] = entry[1] end
return ids`

function replace(copy: string, place: string): void {
  rmSync(place, { recursive: true })
  cpSync(copy, place, { recursive: true })
}

/** A disk of its own, which can be full without hurting others. Only root can mount one. */
function mountSmallDisk(folder: string, say: (line: string) => void): boolean {
  if (process.getuid?.() !== 0 || !existsSync('/bin/mount')) {
    say('Skipped: a full disk needs root, to mount a small one.')
    return false
  }
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'tmpfs', folder], {
      stdio: 'pipe',
    })
    return true
  } catch {
    say('Skipped: a full disk, because a small one could not be mounted.')
    return false
  }
}

function fill(filler: string): void {
  // It ends with an error once the disk is full, which is the aim.
  try {
    execFileSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k'], { stdio: 'pipe' })
  } catch {
    return
  }
}
