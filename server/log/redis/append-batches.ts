/**
 * Sends appends to Redis. Those of one turn of the event loop share a call of the script, which decides each of them by itself. A call
 * costs Redis and this process more than an append does. Batches do not wait for each other.
 */
import { randomBytes } from 'node:crypto'
import type { Cursor } from '@/protocol/cursor'
import type { NewEvent } from '@/protocol/event'
import { clockToleranceMs, createClockWatch } from '@/server/log/clock-watch'
import { LogError, type AppendOptions, type AppendResult } from '@/server/log/event-log'
import { RedisError } from './redis-connection'
import { runArguments, toAppendResult, type Answers, type Argument } from './script-answers'

export interface AppendBatches {
  /** @throws {LogError} `idempotency-conflict`, `run-ended` or `busy` @throws {RedisError} */
  append(topic: string, events: readonly NewEvent[], options: AppendOptions): Promise<AppendResult>
  /** Resolves when Redis has answered all appends, or its answers are lost. */
  idle(): Promise<void>
}

export interface AppendBatchesOptions {
  /** Of topics that have no age limit of their own, in milliseconds. */
  maxAgeMs: number
  /** The limits of a topic. */
  limitsOf: (topic: string) => { maxAgeMs: number; maxCount: number; latest?: boolean | undefined }
  call: (args: readonly Argument[]) => Promise<{ head: Cursor; rest: Answers['logAppend'] }>
  /** A batch whose answer is lost is sent again if that happens within this many milliseconds. */
  timeoutMs: number
  /** Called when the log has grown, before the appends resolve. */
  onGrown: (head: Cursor) => void
}

interface Waiting {
  args: readonly Argument[]
  events: number
  bytes: number
  resolve: (result: AppendResult) => void
  reject: (error: unknown) => void
}

/** How many bytes may be on their way to Redis at once. */
const maxSendingBytes = 16 * 1024 * 1024
/** Redis does nothing else while it runs a script: this much takes about two milliseconds. Twice as many appends are no cheaper each. */
const maxBatch = { appends: 32, events: 500, bytes: 256 * 1024 }
/** Roughly the bytes that an event takes besides its data. */
const overheadBytes = 64

export function createAppendBatches({
  maxAgeMs,
  limitsOf,
  call,
  timeoutMs,
  onGrown,
}: AppendBatchesOptions): AppendBatches {
  /** Identifies this process, which begins a term with its first append. */
  const ownName = randomBytes(8).toString('hex')
  let hasAppended = false
  let appendCount = 0
  const clock = createClockWatch()
  let waiting: Waiting[] = []
  let sendingBytes = 0
  const sending = new Set<Promise<void>>()

  function argumentsOf(
    topic: string,
    events: readonly NewEvent[],
    { idempotency, run }: AppendOptions,
  ): Argument[] {
    const limits = limitsOf(topic)
    const args: Argument[] = [
      topic,
      limits.maxAgeMs === maxAgeMs ? '' : limits.maxAgeMs,
      limits.latest ? 'latest' : limits.maxCount,
      // A token is never used again.
      `${ownName}${(appendCount++).toString(36)}`,
      idempotency?.key ?? '',
      idempotency?.fingerprint ?? '',
      ...runArguments(run),
      events.length,
    ]
    for (const { type, data } of events) args.push(type, data)
    return args
  }

  function sendWaiting(): void {
    const appends = waiting
    waiting = []
    for (let first = 0; first < appends.length;) {
      const batch = appends.slice(first, first + batchLength(appends, first))
      first += batch.length
      const sent = send(batch)
      sending.add(sent)
      void sent.then(() => sending.delete(sent))
    }
  }

  async function send(batch: readonly Waiting[]): Promise<void> {
    try {
      const { head, rest } = await callOrRepeat(batch.flatMap(({ args }) => args))
      settle(batch, head, rest[0])
    } catch (error) {
      for (const { reject } of batch) reject(error)
    } finally {
      for (const { bytes } of batch) sendingBytes -= bytes
    }
  }

  function callOrRepeat(appends: readonly Argument[]): ReturnType<typeof call> {
    const args = [
      Date.now(),
      maxAgeMs,
      ownName,
      hasAppended ? 'yes' : 'no',
      clockToleranceMs,
      clock.isBelieved() ? 'yes' : 'no',
    ]
    const startedAt = performance.now()
    return call([...args, 'no', ...appends]).catch((error: unknown) => {
      const isLost = error instanceof RedisError && error.outcome === 'unknown'
      if (!isLost || performance.now() - startedAt >= timeoutMs) throw error
      // The answer was lost, so the appends may or may not have happened. Their tokens make it safe to try again.
      return call([...args, 'yes', ...appends])
    })
  }

  function settle(batch: readonly Waiting[], head: Cursor, answers: Answers['logAppend'][0]): void {
    let isGrown = false
    for (const [outcome, , , count, isBehind] of answers) {
      isGrown ||= outcome === 'appended' || outcome === 'replayed'
      if (outcome !== 'appended' || count === 0) continue
      hasAppended = true
      clock.note(isBehind === 1)
    }
    if (isGrown) onGrown(head)
    for (const [index, answer] of answers.entries()) {
      try {
        batch[index]?.resolve(toAppendResult(answer))
      } catch (error) {
        batch[index]?.reject(error)
      }
    }
  }

  return {
    append(topic, events, options) {
      const bytes = sizeOf(events)
      if (sendingBytes > 0 && sendingBytes + bytes > maxSendingBytes) {
        return Promise.reject(new LogError('busy', 'Too many events are on their way to Redis.'))
      }
      const args = argumentsOf(topic, events, options)
      sendingBytes += bytes
      return new Promise((resolve, reject) => {
        // Waits for the rest of this turn, so that its appends join the batch.
        if (waiting.length === 0) setImmediate(sendWaiting)
        waiting.push({ args, events: events.length, bytes, resolve, reject })
      })
    },
    async idle() {
      sendWaiting()
      await Promise.all(sending)
    },
  }
}

/** How many of the appends from an index on fit into one batch: at least one. */
function batchLength(appends: readonly Waiting[], first: number): number {
  let [events, bytes] = [0, 0]
  const end = Math.min(first + maxBatch.appends, appends.length)
  for (let index = first; index < end; index++) {
    events += appends[index]?.events ?? 0
    bytes += appends[index]?.bytes ?? 0
    const isTooMuch = events > maxBatch.events || bytes > maxBatch.bytes
    if (isTooMuch && index > first) return index - first
  }
  return end - first
}

function sizeOf(events: readonly NewEvent[]): number {
  let bytes = 0
  for (const { data } of events) bytes += Buffer.byteLength(data) + overheadBytes
  return bytes
}
