/** When to show what came: with the screen's next frame, because a page need not hear of every event. */

/** Nobody reads faster, and drawing takes time in which events could be received. Two frames of most screens; some frames come early. */
const renewMs = 30
/** A worker has no screen. Waiting this long gathers what comes together. */
const withoutFramesMs = 4

/**
 * Makes a function that calls `renew`: at once when what came is urgent, else in a frame to come. A hidden page has no frames, so it is
 * renewed once it is seen.
 */
export function createRenewal(renew: () => void): (isUrgent?: boolean) => void {
  let cancel: (() => void) | undefined
  let renewedAt = -Infinity

  function now(): void {
    cancel?.()
    cancel = undefined
    renew()
  }

  function look(at: number): void {
    if (at - renewedAt < renewMs) {
      cancel = nextFrame(look)
      return
    }
    renewedAt = at
    now()
  }

  return (isUrgent = false) => {
    if (isUrgent) now()
    else cancel ??= nextFrame(look)
  }
}

/** Calls `look` in the next frame, with its time by `performance.now()`; returns the undo. */
function nextFrame(look: (now: number) => void): () => void {
  if ('requestAnimationFrame' in globalThis) {
    const frame = requestAnimationFrame(look)
    return () => cancelAnimationFrame(frame)
  }
  const timer = setTimeout(() => look(performance.now()), withoutFramesMs)
  return () => clearTimeout(timer)
}
