export type Close = () => unknown

/** Runs `work`, which says what is to be closed at its end, last first. Rejects when the signal is aborted. */
export async function withClosing<Result>(
  signal: AbortSignal,
  work: (closing: Close[]) => Promise<Result>,
): Promise<Result> {
  const closing: Close[] = []
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('The run was interrupted.')))
  })
  try {
    return await Promise.race([work(closing), interrupted])
  } finally {
    for (const close of closing.toReversed()) await close()
  }
}
