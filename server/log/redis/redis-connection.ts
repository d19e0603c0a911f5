/**
 * A connection to Redis that fails fast: while Redis is unavailable no command is queued, and no command is resent automatically.
 * Reconnects by itself.
 */
import type { Redis } from 'ioredis'
import { redisScripts } from './redis-scripts'

type Script = (key: string, args: readonly (string | number)[]) => Promise<unknown>
type ScriptedRedis = Redis & Record<keyof typeof redisScripts, Script>

export interface RedisAddress {
  host: string
  port: number
  /** `rediss:` */
  tls: boolean
  username?: string | undefined
  password?: string | undefined
  database: number
}

export interface RedisConnection {
  /**
   * Runs a command once the connection is up. Waits up to two seconds for a connection that was just lost or just opened. Fails at
   * once when the connection has been down for longer.
   * @throws {RedisError}
   */
  run<T>(command: (redis: ScriptedRedis) => Promise<T>): Promise<T>
  close(): void
}

export class RedisError extends Error {
  override name = 'RedisError'
  /** `refused`: Redis answered with an error. `not-sent`: there was no connection. `unknown`: the connection broke before Redis answered. */
  readonly outcome: 'refused' | 'not-sent' | 'unknown'

  constructor(outcome: RedisError['outcome'], message: string) {
    super(message)
    this.outcome = outcome
  }
}

const patienceMs = 2_000
const maxRetryMs = 1_000

export interface RedisConnectionOptions {
  /** Reconnects when Redis owes answers and has sent none for this many milliseconds. */
  silenceMs: number
  /** The class of `ioredis`. */
  Redis: typeof Redis
}

export function openRedisConnection(
  { host, port, tls, username, password, database }: RedisAddress,
  { silenceMs, Redis: RedisClient }: RedisConnectionOptions,
): RedisConnection {
  const redis = new RedisClient({
    host,
    port,
    db: database,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: patienceMs,
    disconnectTimeout: 200,
    // Covers the commands that ioredis itself sends when it connects.
    socketTimeout: 2 * silenceMs,
    retryStrategy: (attempt) => Math.min(25 * 2 ** attempt, maxRetryMs) * (0.5 + Math.random() / 2),
    // A primary that became a replica: another connection may find the new primary.
    reconnectOnError: ({ message }) => message.startsWith('READONLY '),
    scripts: Object.fromEntries(
      Object.entries(redisScripts).map(([name, lua]) => [name, { lua, numberOfKeys: 1 }]),
    ),
  }) as ScriptedRedis
  const answers = watchSilence(silenceMs, () => {
    cause = 'Redis does not answer.'
    redis.disconnect(true)
  })
  let patience = waitForReady()
  let isUp = false
  /** Why the connection is down, or was down a moment ago. */
  let cause: string | undefined

  /** Resolves when the connection is up, or after `patienceMs`. */
  function waitForReady(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, patienceMs)
      timer.unref()
      redis.once('ready', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  redis.on('ready', () => {
    isUp = true
    cause = undefined
  })
  redis.on('close', () => {
    if (isUp) patience = waitForReady()
    isUp = false
  })
  // Only the message: the error may carry the password.
  redis.on('error', ({ message }: Error) => {
    cause = message
  })

  return {
    async run(command) {
      await patience
      if (redis.status !== 'ready') {
        throw new RedisError('not-sent', cause ?? 'Redis does not answer.')
      }
      try {
        return await answers.awaited(command(redis))
      } catch (error) {
        // Throw a new error: the error of ioredis contains the arguments, which may be events.
        const { name, message } = error as Error
        throw name === 'ReplyError'
          ? new RedisError('refused', message)
          : new RedisError('unknown', cause ?? message)
      }
    },
    close() {
      redis.disconnect()
    },
  }
}

/** Calls `onSilence` when answers are pending and none has arrived for `silenceMs`. */
function watchSilence(
  silenceMs: number,
  onSilence: () => void,
): { awaited: <T>(answer: Promise<T>) => Promise<T> } {
  let owed = 0
  let heardAt = 0
  let timer: NodeJS.Timeout | undefined

  function check(): void {
    const leftMs = heardAt + silenceMs - performance.now()
    if (leftMs > 0) {
      clearTimeout(timer)
      timer = setTimeout(check, leftMs)
      return
    }
    const lastHeardAt = heardAt
    // Perhaps this process was busy. Let it read the answers that have arrived before giving up.
    setImmediate(() => {
      if (owed === 0) return
      if (heardAt === lastHeardAt) onSilence()
      else check()
    })
  }

  return {
    async awaited(answer) {
      if (owed++ === 0) {
        heardAt = performance.now()
        timer = setTimeout(check, silenceMs)
      }
      try {
        return await answer
      } finally {
        heardAt = performance.now()
        if (--owed === 0) clearTimeout(timer)
      }
    },
  }
}
