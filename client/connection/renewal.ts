/** Decides when a page shows new events: in an animation frame, not after every event. */

/** Users can't read faster, and rendering takes time in which events could be received. Slightly less than two frames, because some frames come early. */
const renewMs = 30
/** A worker has no animation frames. Waiting this long collects events that arrive together. */
const withoutFramesMs = 4

/**
 * Returns a function that calls `renew`: at once when the change is urgent, else in a later frame. A hidden page has no frames, so it
 * is renewed when it becomes visible.
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

/** Calls `look` in the next frame, with its time as `performance.now()` counts. Returns a function that cancels this. */
function nextFrame(look: (now: number) => void): () => void {
  if ('requestAnimationFrame' in globalThis) {
    const frame = requestAnimationFrame(look)
    return () => cancelAnimationFrame(frame)
  }
  const timer = setTimeout(() => look(performance.now()), withoutFramesMs)
  return () => clearTimeout(timer)
}
