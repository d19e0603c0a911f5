/** Finds the other servers that the app is tested with, and installs the missing ones. */
import { findOnPath, installPackage } from './find-program'

/** The program's name, which is also the name of its Debian package, and the variable that overrides its path. */
const servers = {
  redis: { program: 'redis-server', variable: 'REDIS_SERVER_PATH', least: '6.2' },
  nginx: { program: 'nginx', variable: 'NGINX_PATH', least: '1.22' },
  caddy: { program: 'caddy', variable: 'CADDY_PATH', least: '2.6' },
}

export type ServerName = keyof typeof servers

/**
 * The path of a server: from its variable, else from PATH, else installed from Debian's packages. Undefined when there is none; the tests
 * that need it are then skipped.
 * @throws instead, when `CI` is set
 */
export function findServer(name: ServerName): string | undefined {
  const { program, variable } = servers[name]
  // Workers inherit the answer. An empty one means that there is no server.
  process.env[variable] ??= findOnPath(program) ?? install(name) ?? ''
  return process.env[variable] || undefined
}

function install(name: ServerName): string | undefined {
  const { program, variable, least } = servers[name]
  try {
    if (installPackage(program)) return findOnPath(program)
  } catch (error) {
    console.log(String(error))
  }
  const advice = `install ${program} ${least} or later, or set ${variable} to its executable.`
  if (process.env['CI']) throw new Error(`The tests need ${name}: ${advice}`)
  console.log(`The tests of ${name} are skipped: ${advice}`)
  return undefined
}
