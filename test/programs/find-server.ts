/** Finds the servers of others that the app is tested with, and installs what there is not. */
import { findOnPath, installPackage } from './find-program'

/** Each by its program, which is its Debian package too, and the variable that names another. */
const servers = {
  redis: { program: 'redis-server', variable: 'REDIS_SERVER_PATH', least: '6.2' },
  nginx: { program: 'nginx', variable: 'NGINX_PATH', least: '1.22' },
  caddy: { program: 'caddy', variable: 'CADDY_PATH', least: '2.6' },
}

export type ServerName = keyof typeof servers

/**
 * The path of a server: the one that its variable names, else the system's, else Debian's. Undefined when there is none and none can
 * be installed: what needs one is skipped.
 * @throws with `CI`, instead
 */
export function findServer(name: ServerName): string | undefined {
  const { program, variable } = servers[name]
  // Workers inherit the answer: an empty one says that there is none.
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
