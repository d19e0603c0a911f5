/**
 * The timers of a process's runs: asks whether one of them was stopped elsewhere, says that they are alive, and judges the runs of other
 * processes. They run while there is something to do.
 */
import { LogError, type EventLog } from '@/server/log/event-log'
import { journal } from '@/server/observe/journal'
import { createLeaseJudge, lookEveryMs } from './lease-judge'
import type { LocalRun } from './local-run'

export interface RunWatch {
  /** Call it when a run of this process has begun or ended. */
  schedule(): void
  /** Whether to judge runs of other processes too, also while this process has none. */
  watchOthers(does: boolean): void
}

/** A run that another process stops, and that writes nothing, hears of it within about twice this time, in milliseconds. */
const askEveryMs = 250

export function createRunWatch(
  local: ReadonlyMap<string, LocalRun>,
  openedLog: () => EventLog | undefined,
): RunWatch {
  const judge = createLeaseJudge()
  let isWatching = false
  let asking: NodeJS.Timeout | undefined
  let looking: NodeJS.Timeout | undefined

  /** Asks the log about runs of this process that have written nothing for a moment: they may have been stopped. */
  async function ask(log: EventLog): Promise<void> {
    const silent = [...local.values()].filter((each) => each.silentMs() >= askEveryMs)
    if (silent.length === 0) return
    const living = new Map((await log.livingRuns()).map((each) => [keyOf(each), each]))
    for (const each of silent) {
      const found = living.get(keyOf(each)) ?? (await log.findRun(each.topic, each.id))
      if (found?.state === 'stopping') each.stop(found.reason)
      // It was given up: what it appends is refused, which tells it so.
      else if (found?.state !== 'running') each.renew(0)
    }
  }

  /** Renews the runs of this process, and judges those of all others. */
  async function look(log: EventLog): Promise<void> {
    for (const each of local.values()) each.renew(lookEveryMs / 2)
    await judge.look(await log.livingRuns(), log)
  }

  function schedule(): void {
    const isAsking = local.size > 0
    if (isAsking) asking ??= repeat(askEveryMs, ask)
    else asking = clear(asking)
    if (isAsking || isWatching) looking ??= repeat(lookEveryMs, look)
    else looking = clear(looking)
  }

  function repeat(everyMs: number, work: (log: EventLog) => Promise<void>): NodeJS.Timeout {
    let isWorking = false
    const timer = setInterval(() => {
      const log = openedLog()
      if (isWorking || !log) return
      isWorking = true
      work(log)
        .catch((error: unknown) => {
          if (!(error instanceof LogError)) journal.error({ err: error }, 'Runs were not watched.')
        })
        .finally(() => {
          isWorking = false
        })
    }, everyMs)
    return timer.unref()
  }

  return {
    schedule,
    watchOthers(does) {
      isWatching = does
      schedule()
    },
  }
}

export function keyOf({ topic, id }: { topic: string; id: string }): string {
  return `${topic}:${id}`
}

function clear(timer: NodeJS.Timeout | undefined): undefined {
  clearInterval(timer)
}
