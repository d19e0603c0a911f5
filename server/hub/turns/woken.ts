/** Lets producers wait for their readers: while they go on regardless, a process that is busy appends ever more that no stream has got. */

export interface Woken {
  /** Resolves when the streams have been woken for the event with this offset; after a second in any case. */
  until(offset: number): Promise<void>
  /** The streams have been woken for all events up to this offset. */
  through(offset: number): void
}

const longestMs = 1_000

export function createWoken(): Woken {
  const releases = new Map<() => void, number>()

  return {
    until(offset) {
      return new Promise((resolve) => {
        const release = (): void => {
          clearTimeout(timer)
          releases.delete(release)
          resolve()
        }
        const timer = setTimeout(release, longestMs).unref()
        releases.set(release, offset)
      })
    },
    through(offset) {
      for (const [release, awaited] of releases) {
        if (awaited <= offset) release()
      }
    },
  }
}
