/**
 * Notices in development that an app gives a new `sessionKey` with each request, such as the text of a cookie that is sealed again each
 * time. Every reconnection would then count as another reader's, and its page would stop.
 */

/** Told of each request that named a session: who sent it, and the key. */
export type WatchSessionKey = (client: string, sessionKey: string) => void

/** So many requests of one client in a row, each with a key not seen before, are no coincidence. */
const suspicious = 3
const maxClients = 1_000

/** Calls `warn` once. */
export function createSessionKeyWatch(warn: () => void): WatchSessionKey {
  const keysOf = new Map<string, Set<string>>()
  let hasWarned = false

  return (client, sessionKey) => {
    if (hasWarned) return
    const keys = keysOf.get(client) ?? new Set()
    if (keys.has(sessionKey)) {
      // It has come before, so it is one that stays.
      keysOf.delete(client)
      return
    }
    if (keysOf.size >= maxClients) keysOf.clear()
    keysOf.set(client, keys.add(sessionKey))
    if (keys.size < suspicious) return
    hasWarned = true
    keysOf.clear()
    warn()
  }
}
