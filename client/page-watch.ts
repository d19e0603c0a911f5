/** Whether the page and its network are there, as events: hints, by which a stream saves attempts that would fail. */

/**
 * `away`: the page is left, or kept for going back to. `offline`: the network is gone. `back`: the page or the network is there,
 * perhaps again; the server may be on this machine, where a browser without a network can reach it. Returns the undo.
 */
export function watchPage(on: (event: 'away' | 'offline' | 'back') => void): () => void {
  const listening = new AbortController()
  const { signal } = listening
  const away = (): void => on('away')
  const offline = (): void => on('offline')
  const back = (): void => {
    if (!document.hidden) on('back')
  }
  addEventListener('pagehide', away, { signal })
  addEventListener('offline', offline, { signal })
  // A page that comes back from the cache may be hidden, and is wanted all the same.
  addEventListener('pageshow', () => on('back'), { signal })
  addEventListener('online', () => on('back'), { signal })
  // In a worker only the network comes and goes.
  globalThis.document?.addEventListener('visibilitychange', back, { signal })
  return () => listening.abort()
}
