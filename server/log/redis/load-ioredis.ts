/** Loads `ioredis`. It is an optional peer dependency, because only a log in Redis needs it. */
import type { Redis } from 'ioredis'

/** @throws {Error} `ioredis` is not installed */
export async function loadIoredis(): Promise<typeof Redis> {
  try {
    return (await import('ioredis')).Redis
  } catch (cause) {
    throw new Error('EVENTS_URL names a Redis: run `npm install ioredis`, and start again.', {
      cause,
    })
  }
}
