/** `ioredis` is needed by those alone whose log is in Redis, so it is theirs to install. */
import type { Redis } from 'ioredis'

/** @throws it is not installed */
export async function loadIoredis(): Promise<typeof Redis> {
  try {
    return (await import('ioredis')).Redis
  } catch (cause) {
    throw new Error('EVENTS_URL names a Redis: run `npm install ioredis`, and start again.', {
      cause,
    })
  }
}
