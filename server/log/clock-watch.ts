/**
 * Decides whether to trust this process's clock when it is behind the newest event. Either the clock that stamped the event had
 * jumped ahead: then events would not age until real time catches up. Or this clock is wrong for a moment: trusting it would
 * date events too early, and they would age too soon.
 */

export interface ClockWatch {
  /** Notes whether the newest event is later than now by more than `clockToleranceMs`. */
  note(isBehind: boolean): void
  /** True when the clock has been behind for ten minutes. The log then trusts it, and sets later times back to now. */
  isBelieved(): boolean
}

/** Smaller differences are ignored, because the clocks of several computers never agree exactly. */
export const clockToleranceMs = 60_000
const doubtMs = 600_000

export function createClockWatch(): ClockWatch {
  // Measured with the clock that never jumps: the other one is in doubt.
  let behindSince: number | undefined

  return {
    note(isBehind) {
      if (isBehind) behindSince ??= performance.now()
      else behindSince = undefined
    },
    isBelieved: () => behindSince !== undefined && performance.now() - behindSince >= doubtMs,
  }
}
