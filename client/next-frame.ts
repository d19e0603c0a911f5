/** When to show what came: with the screen's next frame, in a page. */

/** A worker has no screen, and may gather for a moment. */
const withoutFramesMs = 4

/** Calls `look` in the next frame, with its time by `performance.now()`; returns the undo. */
export function nextFrame(look: (now: number) => void): () => void {
  if ('requestAnimationFrame' in globalThis) {
    const frame = requestAnimationFrame(look)
    return () => cancelAnimationFrame(frame)
  }
  const timer = setTimeout(() => look(performance.now()), withoutFramesMs)
  return () => clearTimeout(timer)
}
