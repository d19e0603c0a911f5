/** Reads a stream in batches: the first item at once, later ones as they came in the meantime. */
import { setTimeout as sleep } from 'node:timers/promises'

/** A batch is never empty. Ends the stream when the reader leaves. */
export async function* inBatches<Item>(
  stream: ReadableStream<Item>,
  { everyMs, maxItems }: { everyMs: number; maxItems: number },
): AsyncGenerator<Item[], void, undefined> {
  const reader = stream.getReader()
  let lastAt = -Infinity
  const read = (): ReturnType<typeof reader.read> => {
    const reading = reader.read()
    // It may fail while the batch before it is being taken.
    reading.catch(() => {})
    return reading
  }
  try {
    let reading = read()
    for (;;) {
      const first = await reading
      if (first.done) return
      const batch = [first.value]
      reading = read()
      // Even without a wait this passes a turn, so it takes along what the stream has ready.
      const due = sleep(Math.max(0, lastAt + everyMs - performance.now()), undefined)
      while (batch.length < maxItems) {
        // An error is thrown when what came before it was taken.
        const next = await Promise.race([reading.catch(() => undefined), due])
        if (!next || next.done) break
        batch.push(next.value)
        reading = read()
      }
      lastAt = performance.now()
      yield batch
    }
  } finally {
    // Nobody waits for a source that does not end.
    void reader.cancel().catch(() => {})
  }
}
