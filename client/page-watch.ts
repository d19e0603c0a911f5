/** Whether the page and its network are there, as events: hints, by which a stream saves attempts that would fail. */

type PageEvent = 'away' | 'offline' | 'back'

const meanings: Readonly<Record<string, PageEvent>> = {
  pagehide: 'away',
  offline: 'offline',
  // A page that comes back from the cache may be hidden, and is wanted all the same.
  pageshow: 'back',
  online: 'back',
}

/**
 * `away`: the reader leaves the page, which the browser may keep. `offline`: the network is gone. `back`: the page or the network is
 * there, perhaps again; the server may be on this machine, where a browser without a network can reach it. Returns the undo.
 */
export function watchPage(on: (event: PageEvent) => void): () => void {
  const listening = new AbortController()
  const { signal } = listening
  for (const [type, event] of Object.entries(meanings)) {
    addEventListener(type, () => on(event), { signal })
  }
  // In a worker only the network comes and goes.
  globalThis.document?.addEventListener(
    'visibilitychange',
    () => {
      if (!document.hidden) on('back')
    },
    { signal },
  )
  return () => listening.abort()
}
