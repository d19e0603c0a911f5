/**
 * Limits how long reads of the log hold up the event loop. However many streams are behind the tail, their pages take about ten
 * milliseconds of each turn. The rest is for health checks, publishers and the streams that keep up.
 */

export interface TurnQueue {
  /** Runs `task` when there is time for it, in the order of the calls. Urgent tasks run first. */
  run: <T>(task: () => Promise<T>, options?: { urgent?: boolean }) => Promise<T>
}

const turnMs = 10
/** How many tasks may run at once. This is for a log across the network, which answers several reads in the time of one. */
const maxUnderWay = 4

export function createTurnQueue(): TurnQueue {
  const urgent: (() => void)[] = []
  const waiting: (() => void)[] = []
  let underWay = 0
  /** Pending until the current turn of the event loop ends. */
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
