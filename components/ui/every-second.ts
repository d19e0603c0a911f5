/** For what counts seconds by the clock, whose ticks a tab in the background gets fewer of: calls `listener` each second. Returns the undo. */
export function everySecond(listener: () => void): () => void {
  const timer = setInterval(listener, 1000)
  return () => clearInterval(timer)
}
