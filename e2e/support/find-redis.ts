/** Finds a Redis server to test with, and installs one where there is none. */
import { findOnPath, installPackage } from './find-program'

/**
 * The path of a server: `REDIS_SERVER_PATH`, else the system's, else Debian's. Undefined when there is none and none can be installed:
 * what needs one is skipped.
 * @throws with `CI`, instead
 */
export function findRedis(): string | undefined {
  // Workers inherit the answer: an empty one says that there is none.
  process.env['REDIS_SERVER_PATH'] ??= findOnPath('redis-server') ?? install() ?? ''
  return process.env['REDIS_SERVER_PATH'] || undefined
}

function install(): string | undefined {
  try {
    if (installPackage('redis-server')) return findOnPath('redis-server')
  } catch (error) {
    console.log(String(error))
  }
  const advice = 'install redis-server 6.2 or later, or set REDIS_SERVER_PATH to its executable.'
  if (process.env['CI']) throw new Error(`The tests need Redis: ${advice}`)
  console.log(`The tests of Redis are skipped: ${advice}`)
  return undefined
}
