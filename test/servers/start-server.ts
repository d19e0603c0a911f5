/** Runs the app as people run it, on a free port. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { accessEnv } from '../requests/publisher'
import { freePort } from './free-port'

type Command = 'start' | 'standalone' | 'dev'

export interface StartServerOptions {
  /**
   * `start` and `standalone` serve the production build, which must exist; `standalone` with the build's own server. `dev` compiles on
   * demand. Default: what SERVER_COMMAND says, else `start`.
   */
  command?: Command
  /** After the command, such as `--webpack`. */
  flags?: string[]
  /** A program that runs the app instead, and says where as Next does. */
  program?: string
  /** Default 0: a free port. */
  port?: number
  /** Added to `accessEnv` in production. */
  env?: Record<string, string>
  /** The folder of the app. Default: this repository. */
  app?: string
  /** The user that the process runs as. Default: the user that runs the tests. */
  userId?: number | undefined
  /** Resolves as soon as the server listens, which is a moment before it has started. Default false. */
  isEarly?: boolean
}

export interface RunningServer {
  /** Such as `http://localhost:40123`, without a slash at the end. */
  url: string
  pid: number
  /** Everything the server has printed so far. */
  output: () => string
  /** The server's gauge of open streams. */
  openStreams: () => Promise<number>
  /** The value of a line of its `/metrics`, such as `nodejs_active_resources{type="Timeout"}`; 0 when there is no such line. */
  metric: (name: string) => Promise<number>
  /** Resolves when the process has ended, with its exit code; null when a signal killed it. */
  exited: Promise<number | null>
  /** Kills the server and every process it started. Stopping twice is harmless. */
  stop: () => Promise<void>
}

const root = join(__dirname, '..', '..')
const startTimeoutMs = 60_000
const defaultCommand: Command =
  process.env['SERVER_COMMAND'] === 'standalone' ? 'standalone' : 'start'

/** @throws when the server exits, or is not ready within a minute; the message contains its output */
export async function startServer({
  command = defaultCommand,
  flags = [],
  program,
  port = 0,
  env = {},
  app = root,
  userId,
  isEarly = false,
}: StartServerOptions = {}): Promise<RunningServer> {
  const script =
    command === 'standalone'
      ? [join(app, '.next/standalone/server.js')]
      : [require.resolve('next/dist/bin/next', { paths: [app] }), command, ...flags]
  const server = spawn(process.execPath, program === undefined ? script : [program], {
    cwd: app,
    env: {
      ...process.env,
      PORT: String(await portFor(port, command, program)),
      NODE_ENV: command === 'dev' ? 'development' : 'production',
      NEXT_TELEMETRY_DISABLED: '1',
      ...(command !== 'dev' && accessEnv),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(userId !== undefined && { uid: userId, gid: userId }),
    // Its own process group: `next dev` starts more processes.
    detached: true,
  })
  const exited = once(server, 'exit').then(([code]) => code as number | null)
  let output = ''
  const ready = new Promise<string>((resolve, reject) => {
    const fail = (what: string): void => reject(new Error(`next ${command} ${what}:\n${output}`))
    const timer = setTimeout(() => fail('was not ready in time'), startTimeoutMs)
    const read = (chunk: Buffer): void => {
      output += chunk.toString()
      const [, url] = /Local:\s+(http:\/\/\S+)[\s\S]*Ready in/.exec(output) ?? []
      if (url === undefined) return
      clearTimeout(timer)
      resolve(url)
    }
    server.stdout.on('data', read)
    server.stderr.on('data', read)
    server.once('error', reject)
    server.once('exit', () => {
      clearTimeout(timer)
      fail('ended')
    })
  })

  const pid = server.pid
  if (pid === undefined) throw new Error(`next ${command} could not be started.`)
  const stop = async (): Promise<void> => {
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It has already exited.
    }
    await exited
  }
  try {
    const url = await ready
    // Any request is answered only after the server has started.
    if (!isEarly) await fetch(`${url}/_next/static/none`)
    return {
      url,
      pid,
      exited,
      output: () => output,
      openStreams: () => readMetric(url, 'sse_open_streams'),
      metric: (name) => readMetric(url, name),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The server of a standalone build takes 3000 for 0, and a program may start one. */
async function portFor(
  port: number,
  command: Command,
  program: string | undefined,
): Promise<number> {
  const takesZero = command !== 'standalone' && program === undefined
  return port !== 0 || takesZero ? port : await freePort()
}

async function readMetric(url: string, name: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text()
  const line = metrics.split('\n').find((text) => text.startsWith(`${name} `))
  return Number(line?.slice(name.length + 1) ?? 0)
}
