/**
 * Shares the event loop between those who read the log behind the tail. However many they are, their pages take about ten
 * milliseconds of a turn; health checks, publishers and the streams that keep up have the rest.
 */

export interface TurnQueue {
  /** Runs `task` when its turn has come; `urgent` ones come first. */
  run: <T>(task: () => Promise<T>, options?: { urgent?: boolean }) => Promise<T>
}

const turnMs = 10
/** A log across the network answers several questions in the time of one. A file answers at once, and the clock decides. */
const maxUnderWay = 4

export function createTurnQueue(): TurnQueue {
  const urgent: (() => void)[] = []
  const waiting: (() => void)[] = []
  let underWay = 0
  /** Pending while this turn lasts. */
  let nextTurn: NodeJS.Immediate | undefined
  let turnStartedAt = 0

  function goOn(): void {
    while (underWay < maxUnderWay) {
      if (urgent.length === 0 && waiting.length === 0) return
      if (!nextTurn) {
        turnStartedAt = performance.now()
        nextTurn = setImmediate(() => {
          nextTurn = undefined
          goOn()
        })
      } else if (performance.now() - turnStartedAt > turnMs) {
        return
      }
      underWay++
      const start = urgent.shift() ?? waiting.shift()
      start?.()
    }
  }

  function leave(): void {
    underWay--
    goOn()
  }

  return {
    run(task, options) {
      return new Promise((resolve, reject) => {
        const queue = options?.urgent ? urgent : waiting
        queue.push(() => {
          task().then(resolve, reject).finally(leave)
        })
        goOn()
      })
    },
  }
}
