/** Starts a server that is no app of ours. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../test/servers/free-port'
import type { RunningBenchServer } from './bench-server'

const startTimeoutMs = 30_000
const metricsTimeoutMs = 5_000

export interface StartProcessOptions {
  command: string
  /** With the port to listen on. */
  args: (port: number) => string[]
  cwd?: string
  env?: Record<string, string>
}

/** @throws it ended, or did not listen within half a minute; the message has what it printed */
export async function startProcess({
  command,
  args,
  cwd,
  env,
}: StartProcessOptions): Promise<RunningBenchServer> {
  const port = await freePort()
  const child = spawn(command, args(port), {
    ...(cwd !== undefined && { cwd }),
    env: { ...process.env, NODE_ENV: 'production', PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: it may start further processes.
    detached: true,
  })
  const exited = once(child, 'exit')
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4_000)))
  }
  const { pid } = child
  if (pid === undefined) throw new Error(`${command} could not be started.`)
  const stop = async (): Promise<void> => {
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It ended by itself.
    }
    await exited
  }
  const startedAt = performance.now()
  while (!(await isListening(port))) {
    if (child.exitCode === null && performance.now() - startedAt < startTimeoutMs) {
      await sleep(50)
      continue
    }
    await stop()
    throw new Error(`${command} was not ready in time:\n${output}`)
  }
  return {
    pid,
    port,
    headers: {},
    path: (topic) => `/events/${topic}`,
    replayPath: (topic) => `/events/${topic}?since=all`,
    eventLoopDelayMs: () => readEventLoopDelay(port),
    stop,
  }
}

/** Of a server that tells its figures as ours does; undefined when it is too busy to tell them. */
export async function readEventLoopDelay(port: number): Promise<number | undefined> {
  const metrics = await readText(`http://127.0.0.1:${port}/metrics`)
  const [, seconds] = /^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(metrics) ?? []
  return seconds === undefined ? undefined : Number(seconds) * 1_000
}

async function readText(url: string): Promise<string> {
  try {
    return await (await fetch(url, { signal: AbortSignal.timeout(metricsTimeoutMs) })).text()
  } catch {
    // It is overloaded, which other figures tell.
    return ''
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true))
    socket.on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}
