/** Builds and packs the package for the unit tests that read it, once in a run: the build empties its folder first. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const root = join(__dirname, '..', '..')
/** Names the run to all its workers. */
const runVariable = 'PACKED_FOR'

/** Call it before the workers start; the returned function clears up. */
export function preparePacking(): () => void {
  const folder = join(root, 'test-results', `packed-${process.pid}`)
  rmSync(folder, { recursive: true, force: true })
  process.env[runVariable] = folder
  return () => rmSync(folder, { recursive: true, force: true })
}

/** Resolves when the package is built and packed: by this call, or by the one that came first. */
export async function packOnce(): Promise<void> {
  const folder = process.env[runVariable]
  if (folder === undefined) throw new Error('preparePacking was not called.')
  const [done, failed] = ['done', 'failed'].map((name) => join(folder, name)) as [string, string]
  mkdirSync(join(folder, '..'), { recursive: true })
  if (isFirst(folder)) {
    try {
      await promisify(execFile)('npm', ['run', 'pack'], { cwd: root })
      writeFileSync(done, '')
    } catch (error) {
      writeFileSync(failed, '')
      throw error
    }
  }
  while (!existsSync(done)) {
    if (existsSync(failed)) throw new Error('The package could not be packed.')
    await sleep(100)
  }
}

function isFirst(folder: string): boolean {
  try {
    mkdirSync(folder)
    return true
  } catch {
    return false
  }
}
