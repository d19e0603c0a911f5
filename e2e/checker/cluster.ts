/** The servers of a run, all on one log. Each keeps its port when it is started again. */
import { join } from 'node:path'
import { freePort } from '../../test/servers/free-port'
import { startServer, type RunningServer } from '../../test/servers/start-server'

export interface Cluster {
  /** The port of each server. */
  ports: readonly number[]
  start: (index: number) => Promise<void>
  startAll: () => Promise<void>
  /** Ends one at once. */
  kill: (index: number) => Promise<void>
  killAll: () => Promise<void>
  /** Asks one to end, and waits until it has. */
  terminate: (index: number) => Promise<void>
  isRunning: (index: number) => boolean
  /** Stops one in its tracks, or lets it go on. */
  signal: (index: number, signal: 'SIGSTOP' | 'SIGCONT') => void
  urlOf: (index: number) => string
  /** The last lines that a server printed. */
  lastWordsOf: (index: number) => string
  /** Ends all of them, and those that are being started. */
  close: () => Promise<void>
}

/** A server that drains has this long to end. */
const endTimeoutMs = 15_000

export async function createCluster(
  count: number,
  env: Record<string, string>,
  onFault: (message: string) => void,
  /** The folder of the app. Default: this repository. */
  app?: string,
): Promise<Cluster> {
  const ports = await Promise.all(Array.from({ length: count }, freePort))
  const running: (RunningServer | undefined)[] = []
  const starting = new Set<Promise<void>>()
  const indexes = ports.map((_, index) => index)

  async function start(index: number): Promise<void> {
    const own = startOne(index)
    starting.add(own)
    await own.finally(() => starting.delete(own))
  }

  async function startOne(index: number): Promise<void> {
    const clock = join(__dirname, 'shifted-clock.cjs')
    const server = await startServer({
      port: ports[index] ?? 0,
      ...(app !== undefined && { app }),
      env: {
        ...env,
        NODE_OPTIONS: `--require ${clock}`,
        // The slower ways must keep the promise, too.
        ...(index === count - 1 && { FRONT_DOOR: 'off', DIRECT_LANE: 'off' }),
      },
    })
    running[index] = server
    void server.exited.then((code) => {
      if (running[index] !== server) return
      running[index] = undefined
      onFault(`Server ${index} ended by itself (${code}): ${server.output().slice(-2_000)}`)
    })
  }

  async function killAll(): Promise<void> {
    await Promise.all(indexes.map(kill))
  }

  async function kill(index: number): Promise<void> {
    const server = running[index]
    running[index] = undefined
    await server?.stop()
  }

  function signal(index: number, name: NodeJS.Signals): void {
    const pid = running[index]?.pid
    if (pid !== undefined) process.kill(-pid, name)
  }

  return {
    ports,
    start,
    startAll: async () => void (await Promise.all(indexes.map(start))),
    kill,
    killAll,
    async terminate(index) {
      const server = running[index]
      if (!server) return
      running[index] = undefined
      process.kill(-server.pid, 'SIGTERM')
      let timer: ReturnType<typeof setTimeout> | undefined
      const late = new Promise<'late'>((resolve) => {
        timer = setTimeout(() => resolve('late'), endTimeoutMs)
      })
      if ((await Promise.race([server.exited, late])) === 'late') {
        const words = server.output().slice(-1_000)
        onFault(`Server ${index} had not ended ${endTimeoutMs} ms after SIGTERM: ${words}`)
      }
      clearTimeout(timer)
      await server.stop()
    },
    isRunning: (index) => running[index] !== undefined,
    signal,
    lastWordsOf: (index) => running[index]?.output().slice(-2_000) ?? '',
    urlOf: (index) => `http://localhost:${ports[index]}`,
    async close() {
      await Promise.allSettled(starting)
      await killAll()
    },
  }
}
