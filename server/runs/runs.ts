/**
 * The runs of a process: begins them, stops them, says how they stand, and watches over all living runs of the log.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatCursor, parseCursor } from '@/protocol/cursor'
import type { RunEvents, RunReason, RunStatus } from '@/protocol/run'
import { LogError, type EventLog } from '@/server/log/event-log'
import { isLiving, type StoredRun } from '@/server/log/run-change'
import { metrics } from '@/server/observe/metrics'
import { processState } from '@/server/process'
import {
  endingOf,
  startLocalRun,
  type CheckValue,
  type LocalRun,
  type LocalRunOptions,
  type RunEnding,
  type RunSource,
} from './local-run'
import { checkId, checkTopic, RunError } from './run-error'
import type { RunLimits } from './run-values'
import { createRunWatch, keyOf } from './run-watch'

export interface RunOptions {
  /** The run's id, such as that of a message: `[A-Za-z0-9][A-Za-z0-9_.-]{0,63}`. With an id that was used, nothing begins. Default: random. */
  id?: string | undefined
  /**
   * What to do when another run of the topic lives. `join`: nothing begins, and the call resolves with that run; only one that was asked
   * to stop is waited for, as with `replace`. `refuse`: throws
   * `run-living`. `replace`: stops it, waits for its end, and begins. Default `join`.
   */
  onLiving?: 'join' | 'refuse' | 'replace' | undefined
  /** For types of which only the newest value matters: how many milliseconds lie between two that are written. */
  sample?: Readonly<Record<string, number>> | undefined
  /** How long the source may take to return after it was stopped, in milliseconds. Then the run ends without it. Default 5,000. */
  graceMs?: number | undefined
}

/** A run that was begun or joined. */
export interface StartedRun {
  id: string
  topic: string
  /** The cursor before the run's first event: a stream that resumes here gets all of the run. */
  cursor: string
  /** True when the run had begun already, and the source was not called. */
  joined: boolean
  /** Resolves when the run has ended. Never rejects. */
  readonly ended: Promise<RunEnding>
}

/** How a run stands. */
export interface RunInfo {
  id: string
  topic: string
  status: Exclude<RunStatus, 'unknown'>
  /** Why it failed or was stopped. */
  reason?: RunReason | undefined
  /** The cursor before the run's first event. */
  cursor: string
}

export interface Runs {
  /** `check` throws when the events may not be published. */
  run(
    topic: string,
    source: RunSource,
    options?: RunOptions,
    check?: CheckValue,
  ): Promise<StartedRun>
  stop(topic: string, options?: StopOptions): Promise<RunInfo | undefined>
  find(topic: string, id?: string): Promise<RunInfo | undefined>
  /** Watches over the living runs of the log from now on, no matter who began them. */
  watch(): void
  /** Waits for the runs of this process, for at most `overMs`; then ends them. */
  drain(overMs: number): Promise<void>
}

export interface StopOptions {
  /** Which run to stop. Default: the living one. */
  id?: string | undefined
  reason?: RunReason | undefined
}

const defaultGraceMs = 5_000
const awaitEndEveryMs = 200
/** How long ends may take at a drain. */
const cutOffMs = 1_000

export function createRuns({
  openLog,
  openedLog,
  untilWoken = () => Promise.resolve(),
  limits,
}: {
  openLog: () => Promise<EventLog>
  /** The log, if it was opened. */
  openedLog: () => EventLog | undefined
  /** Resolves when this process's readers have been woken for the event with this offset. */
  untilWoken?: (offset: number) => Promise<void>
  limits: RunLimits
}): Runs {
  const local = new Map<string, LocalRun>()
  const watch = createRunWatch(local, openedLog)

  async function run(
    topic: string,
    source: RunSource,
    {
      id = randomUUID(),
      onLiving = 'join',
      sample = {},
      graceMs = defaultGraceMs,
    }: RunOptions = {},
    check?: CheckValue,
  ): Promise<StartedRun> {
    checkTopic(topic)
    checkId(id)
    const log = await openLog()
    const data: RunEvents['run.begin'] = { run: id }
    const events = [{ type: 'run.begin', data: JSON.stringify(data) }]
    for (;;) {
      const { ids, run: outcome } = await log.append(topic, events, { run: { id, op: 'begin' } })
      const found = outcome?.run
      if (!found) throw new LogError('unavailable', 'The event log does not know of runs.')
      if (outcome.applied) {
        const begun = processState.outside(() =>
          begin(log, found, source, { sample, graceMs, check }),
        )
        return { id, topic, cursor: before(ids[0]), joined: false, ended: begun.ended }
      }
      // A caller that joined a run that is about to end would get the end of something else.
      const isStopping = found.state === 'stopping'
      const joins = onLiving === 'join' && !isStopping
      if (found.id === id || joins) return await join(log, found)
      if (onLiving === 'refuse') {
        throw new RunError('run-living', `The run ${found.id} of ${topic} has not ended yet.`)
      }
      if (!isStopping) await stop(topic, { id: found.id, reason: 'replaced' })
      await endOf(log, found)
    }
  }

  function begin(
    log: EventLog,
    found: StoredRun,
    source: RunSource,
    options: Omit<LocalRunOptions, 'limits' | 'untilWoken'>,
  ): LocalRun {
    const begun = startLocalRun(log, found, source, { ...options, limits, untilWoken })
    const key = keyOf(found)
    local.set(key, begun)
    metrics.livingRuns.inc()
    watch.schedule()
    void begun.ended.then(() => {
      local.delete(key)
      metrics.livingRuns.dec()
      watch.schedule()
    })
    return begun
  }

  async function join(log: EventLog, found: StoredRun): Promise<StartedRun> {
    const { id, topic } = found
    const { cursor } = await infoOf(log, found)
    let ended: Promise<RunEnding> | undefined
    return {
      id,
      topic,
      cursor,
      joined: true,
      get ended() {
        return (ended ??= endOf(log, found))
      },
    }
  }

  /** Resolves when the run has ended, wherever it is produced. */
  async function endOf(log: EventLog, { topic, id }: StoredRun): Promise<RunEnding> {
    const own = local.get(keyOf({ topic, id }))
    if (own) return await own.ended
    for (;;) {
      try {
        const found = await log.findRun(topic, id)
        if (!found || !isLiving(found)) return endingOf(found)
      } catch (error) {
        if (!(error instanceof LogError) || error.code === 'closed') return { status: 'unknown' }
      }
      await sleep(awaitEndEveryMs)
    }
  }

  async function stop(
    topic: string,
    { id, reason }: StopOptions = {},
  ): Promise<RunInfo | undefined> {
    checkTopic(topic)
    if (id !== undefined) checkId(id)
    const log = await openLog()
    const runId = id ?? (await log.findRun(topic))?.id
    if (runId === undefined) return undefined
    const data: RunEvents['run.stop'] = { run: runId, reason }
    const events = [{ type: 'run.stop', data: JSON.stringify(data) }]
    const { run: outcome } = await log.append(topic, events, {
      run: { id: runId, op: 'stop', reason },
    })
    local.get(keyOf({ topic, id: runId }))?.stop(reason)
    return outcome?.run && (await infoOf(log, outcome.run))
  }

  return {
    run,
    stop,
    async find(topic, id) {
      checkTopic(topic)
      const log = await openLog()
      const found = await log.findRun(topic, id)
      return found && (await infoOf(log, found))
    },
    watch: () => watch.watchOthers(true),
    async drain(overMs) {
      const ended = (): Promise<unknown> =>
        Promise.all(Array.from(local.values(), (each) => each.ended))
      if (local.size > 0 && overMs > 0) await Promise.race([ended(), quietly(overMs)])
      for (const each of local.values()) each.cutOff('failed', 'drain')
      await Promise.race([ended(), quietly(cutOffMs)])
      watch.watchOthers(false)
    },
  }
}

async function infoOf(log: EventLog, found: StoredRun): Promise<RunInfo> {
  const { id, topic, state, reason, first } = found
  // A cursor holds at any offset of the present term and before.
  const { epoch } = await log.head()
  return {
    id,
    topic,
    status: state === 'stopping' ? 'running' : state,
    ...(reason && { reason }),
    cursor: formatCursor({ epoch, offset: first - 1 }),
  }
}

function before(id: string | undefined): string {
  const cursor = parseCursor(id)
  return cursor ? formatCursor({ ...cursor, offset: cursor.offset - 1 }) : ''
}

/** Does not keep the process alive. */
function quietly(ms: number): Promise<void> {
  return sleep(ms, undefined, { ref: false })
}
