import type { JoinStream } from './shared-stream'

/** Loads the code that shares a stream when the first one is opened, so that other pages do without. */
export const joinTabs: JoinStream = async (attempt) =>
  (await import('./join-shared-stream')).joinSharedStream(attempt)
