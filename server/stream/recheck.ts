/**
 * Ends the right to a stream after a while, or has it confirmed. Goes by the monotonic clock: a clock that is set back must not prolong
 * a right.
 */

export interface RecheckOptions {
  /** How long a right lasts at most, in milliseconds. */
  everyMs: number
  /** Confirms the right for as long again; must not reject. Undefined: the reader comes back, and its next request is judged. */
  confirm: (() => Promise<boolean>) | undefined
}

export interface Recheck {
  /** When to call `look` again, by `performance.now()`; `Infinity` while an answer is awaited. */
  dueAt: () => number
  /** `unknown`: nothing may be sent until `onAnswer` is called. */
  look: () => 'granted' | 'expired' | 'unknown'
}

/** `onAnswer` is called after each answer of `confirm`. */
export function createRecheck({ everyMs, confirm }: RecheckOptions, onAnswer: () => void): Recheck {
  // With `confirm`, it asks early enough that the stream need not pause for the answer. Random, so that streams do not ask together.
  const [earliest, latest] = confirm ? [0.7, 0.9] : [0.8, 1]
  let dueAt = 0
  let endsAt = 0
  let isDenied = false

  function grantFrom(start: number): void {
    dueAt = start + everyMs * (earliest + (latest - earliest) * Math.random())
    endsAt = confirm ? start + everyMs : dueAt
  }

  function ask(confirmed: () => Promise<boolean>): void {
    dueAt = Infinity
    void confirmed().then((isGranted) => {
      // From the answer on: a right shorter than its check would never be granted.
      if (isGranted) grantFrom(performance.now())
      else isDenied = true
      onAnswer()
    })
  }

  grantFrom(performance.now())
  return {
    dueAt: () => dueAt,
    look() {
      const now = performance.now()
      if (now >= dueAt && confirm) ask(confirm)
      if (isDenied) return 'expired'
      if (now < endsAt) return 'granted'
      return confirm ? 'unknown' : 'expired'
    },
  }
}
