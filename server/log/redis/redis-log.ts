/**
 * The log in Redis, which processes on several machines can share. The clocks of the processes should agree, because each process
 * sets the time of the events that it appends. Needs Redis 6.2 or later, with
 *
 * - `appendonly yes` and `appendfsync always`, or acknowledged events can be lost when Redis is killed: with `everysec`, Redis
 *   answers before it writes while the disk is still busy with the previous second;
 * - `maxmemory-policy noeviction`, or Redis removes events without the log noticing.
 */
import { randomUUID } from 'node:crypto'
import { cursorOf, type Cursor } from '@/protocol/cursor'
import { LogError, type EventLog, type Retention } from '@/server/log/event-log'
import { limitsOf } from '@/server/log/retention'
import { createAppendBatches } from './append-batches'
import {
  openRedisConnection,
  RedisError,
  type RedisAddress,
  type RedisConnection,
  type RedisConnectionOptions,
} from './redis-connection'
import { argumentsOf, toEvents, toRun, type Answers, type Argument } from './script-answers'
import { formatVersion, logKey, otherFormat } from './script-prelude'
import { watchRedis } from './redis-watch'
import { createWatchers } from '@/server/log/watchers'

const timeoutMs = 2_000
/** 1,000 years. Redis rejects an expiry that overflows 64 bits. */
const longestMs = 1_000 * 365 * 86_400_000

/** Opens at once, without waiting for Redis. While Redis is unavailable, every call fails with `unavailable`. */
export function openRedisLog({
  address,
  Redis,
  ...retention
}: Retention & { address: RedisAddress; Redis: RedisConnectionOptions['Redis'] }): EventLog {
  const maxAgeMs = Math.min(retention.maxAgeMs, longestMs)
  const { host, port } = address
  const connection = openRedisConnection(address, { silenceMs: timeoutMs, Redis })
  const watchers = createWatchers(() => watchRedis({ address, Redis }, readHead, notify))
  /** The newest append that this process has seen. Every script checks that it is still in the log. */
  let seen = { epoch: '', head: 0, token: '' }
  let notified: Cursor | undefined
  let closing: Promise<void> | undefined

  function ageOf(topic: string): number {
    return Math.min(limitsOf(retention, topic).maxAgeMs, longestMs)
  }

  const appends = createAppendBatches({
    maxAgeMs,
    limitsOf: (topic) => ({ ...limitsOf(retention, topic), maxAgeMs: ageOf(topic) }),
    call: (args) => call(connection, 'logAppend', args),
    timeoutMs,
    onGrown: notify,
  })

  function assertOpen(): void {
    if (closing) throw new LogError('closed', 'The event log is closed.')
  }

  /** Runs a script with the arguments that every script takes, and reads the head that every script returns. */
  async function call<Name extends keyof Answers>(
    on: RedisConnection,
    script: Name,
    args: readonly Argument[] = [],
  ): Promise<{ head: Cursor; rest: Answers[Name] }> {
    // Its last 48 bits, all of them random. Node takes them from a pool, which is quicker than `randomBytes`.
    const newEpoch = randomUUID().slice(-12)
    const [epoch, head, token, ...rest] = (await on.run((redis) =>
      redis[script](logKey, [seen.epoch, seen.head, seen.token, newEpoch, ...args]),
    )) as [string, number, string, ...Answers[Name]]
    const found = { epoch, offset: head }
    // A new term may mean that events were lost.
    if (seen.epoch !== '' && epoch !== seen.epoch) notify(found)
    // Answers on two connections may overtake each other.
    if (epoch !== seen.epoch || head > seen.head) seen = { epoch, head, token }
    return { head: found, rest }
  }

  async function readHead(on: RedisConnection): Promise<Cursor> {
    return (await call(on, 'logHead')).head
  }

  /** Notifies once per head: this process sees its own appends twice, because the watch reports them too. */
  function notify(head: Cursor): void {
    if (notified?.epoch === head.epoch && notified.offset >= head.offset) return
    notified = head
    watchers.notify()
  }

  async function answer<T>(ask: () => Promise<T>): Promise<T> {
    assertOpen()
    try {
      return await ask()
    } catch (cause) {
      if (!(cause instanceof RedisError)) throw cause
      const other = cause.message.startsWith(otherFormat) ? cause.message.split(' ')[1] : undefined
      const what = other
        ? `is of format ${other}, and this program needs format ${formatVersion}`
        : 'is away'
      throw new LogError('unavailable', `The event log in Redis at ${host}:${port} ${what}.`, {
        cause,
      })
    }
  }

  async function close(): Promise<void> {
    watchers.end()
    await appends.idle()
    connection.close()
  }

  return {
    append: (topic, events, options = {}) =>
      answer(async () => {
        if (events.length === 0 && !options.run) return { ids: [], replayed: false }
        return await appends.append(topic, events, options)
      }),
    read: ({ topics, after, limit, maxBytes }) =>
      answer(async () => {
        const { head, rest } = await call(connection, 'logRead', [
          after.epoch,
          after.offset,
          limit,
          maxBytes,
          Date.now(),
          maxAgeMs,
          topics ? 'some' : 'all',
          ...(topics ?? []),
        ])
        const [reason, removed, through, rows, terms] = rest
        const events = toEvents(rows, terms)
        const last = events.at(-1)
        return {
          events,
          through: last?.offset === through ? cursorOf(last) : { ...head, offset: through },
          lost: reason || undefined,
          removed,
        }
      }),
    locate: (topics, start) =>
      answer(async () => {
        const { head, rest } = await call(connection, 'logLocate', [
          Date.now(),
          maxAgeMs,
          ...argumentsOf(start),
          ...topics,
        ])
        const [reason, removed, first, epoch] = rest
        const lost = reason || undefined
        if ('cursor' in start && !lost) return { after: start.cursor, lost, removed }
        return { after: first === 0 ? head : { epoch, offset: first - 1 }, lost, removed }
      }),
    findRun: (topic, id = '') =>
      answer(async () => {
        const args = [Date.now(), ageOf(topic), topic, id]
        const { rest } = await call(connection, 'logFindRun', args)
        return toRun(rest[0])
      }),
    livingRuns: () =>
      answer(async () => {
        const { rest } = await call(connection, 'logLivingRuns', [Date.now(), maxAgeMs])
        return rest[0].flatMap((row) => toRun(row) ?? [])
      }),
    head: () => answer(() => readHead(connection)),
    watch(onChange, { signal }) {
      assertOpen()
      watchers.add(onChange, signal)
    },
    close: () => (closing ??= close()),
  }
}
