/** Starts a Redis server on a free port, which a test can make fail. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { findServer } from '../programs/find-server'
import { freePort } from './free-port'

export interface RunningRedis {
  /** Such as `redis://127.0.0.1:40123`. */
  url: string
  port: number
  /** Of its process now: it is another after a restart. */
  readonly pid: number
  /** The folder of its data. */
  folder: string
  /** Runs a command and returns its answer. */
  command: (name: string, ...args: (string | number)[]) => Promise<unknown>
  /** Ends it at once, as `kill -9` does. */
  kill: () => Promise<void>
  /** Starts it again, with the same port and data. */
  restart: () => Promise<void>
  /** Suspends the process: connections stay open, but nothing is answered. */
  freeze: () => void
  thaw: () => void
  /** Ends it and removes its data. */
  stop: () => Promise<void>
}

const startTimeoutMs = 15_000

/** `config` has lines of redis.conf; by default nothing is saved to disk. */
export async function startRedis(config: readonly string[] = []): Promise<RunningRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'redis-'))
  let { port, server } = await startOnFreePort(folder, config)

  async function kill(): Promise<void> {
    if (server.exitCode !== null || server.signalCode !== null) return
    server.kill('SIGKILL')
    await once(server, 'exit')
  }

  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return server.pid ?? 0
    },
    folder,
    async command(name, ...args) {
      const client = new Redis(port, { retryStrategy: () => null })
      try {
        return await client.call(name, ...args)
      } finally {
        client.disconnect()
      }
    },
    kill,
    async restart() {
      server = await start(port, folder, config)
    },
    freeze: () => server.kill('SIGSTOP'),
    thaw: () => server.kill('SIGCONT'),
    async stop() {
      await kill()
      rmSync(folder, { recursive: true })
    },
  }
}

async function startOnFreePort(
  folder: string,
  config: readonly string[],
): Promise<{ port: number; server: ChildProcess }> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    try {
      return { port, server: await start(port, folder, config) }
    } catch (error) {
      // Another process may have taken the port.
      if (attempt === 3) throw error
    }
  }
}

function start(port: number, folder: string, config: readonly string[]): Promise<ChildProcess> {
  const path = findServer('redis')
  if (path === undefined) throw new Error('There is no Redis server to start.')
  const server = spawn(path, ['-'], { cwd: folder, stdio: ['pipe', 'pipe', 'ignore'] })
  server.stdin.end([`port ${port}`, 'bind 127.0.0.1', 'save ""', ...config].join('\n'))
  let output = ''
  return new Promise((resolve, reject) => {
    const fail = (what: string): void => {
      server.kill('SIGKILL')
      reject(new Error(`redis-server ${what}:\n${output}`))
    }
    const timer = setTimeout(() => fail('was not ready in time'), startTimeoutMs)
    server.once('error', reject)
    server.once('exit', () => {
      clearTimeout(timer)
      fail('ended')
    })
    server.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      if (!output.includes('Ready to accept connections')) return
      clearTimeout(timer)
      output = ''
      resolve(server)
    })
  })
}
