/** Divides long work among several turns of the event loop, so that other work is not held up. */

const turnMs = 10

/** Calls `visit` for each item. After about ten milliseconds, the rest waits for another turn. A short list is done in this one. */
export async function forEachInTurns<T>(
  items: Iterable<T>,
  visit: (item: T) => void,
): Promise<void> {
  let startedAt = performance.now()
  for (const item of items) {
    if (performance.now() - startedAt > turnMs) {
      await new Promise((resolve) => setImmediate(resolve))
      startedAt = performance.now()
    }
    visit(item)
  }
}
