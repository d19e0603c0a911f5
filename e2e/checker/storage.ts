/** Where the log of a run is kept, as something that can be copied, put back and damaged. */
import { execFileSync } from 'node:child_process'
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
import { startRedis, type RunningRedis } from '../../test/servers/start-redis'
import type { Engine } from './setting'

export interface Storage {
  engine: Engine
  /** `EVENTS_URL` for the servers. */
  url: string
  /** Keeps a copy of what is on the disk now. Whoever writes must stand still meanwhile. */
  copy: (name: string) => void
  /** Puts a copy back, in place of what is there. Nobody may have it open. */
  restore: (name: string) => void
  /** Takes all the room that is left on the disk, and gives it back. Undefined where that would hurt others. */
  fill: (() => void) | undefined
  empty: () => void
  redis: RunningRedis | undefined
  /** Cuts so many bytes off what Redis wrote last. */
  cutEnd: (bytes: number) => void
  close: () => Promise<void>
}

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
