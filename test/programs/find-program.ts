/** Programs that the tests need: found on this machine, or installed from Debian's or Ubuntu's packages. */
import { execFileSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The path of the first of these programs that is on PATH. */
export function findOnPath(...names: string[]): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path))
}

/**
 * Installs a package without starting its services. Returns false if there is no `apt-get`, or this user may not run it.
 * @throws when the installation fails
 */
export function installPackage(name: string): boolean {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return false
  console.log(`Running \`apt-get install ${name}\`.`)
  const forbidden = forbidServices()
  try {
    aptGet('update')
    aptGet('install', '-y', '--no-install-recommends', name)
    return true
  } finally {
    for (const file of forbidden) rmSync(file)
  }
}

/** A package starts its service on installation unless this file forbids it. Returns the files to remove afterwards. */
function forbidServices(): string[] {
  const policy = '/usr/sbin/policy-rc.d'
  if (existsSync(policy)) return []
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  return [policy]
}

function aptGet(...args: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  execFileSync('apt-get', ['-qq', ...args], { stdio: 'inherit', env })
}
