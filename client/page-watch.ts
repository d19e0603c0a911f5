/** Watches the page and its network. The events are hints that save a stream attempts that would fail. */

type PageEvent = 'away' | 'offline' | 'back'

const meanings: Readonly<Record<string, PageEvent>> = {
  pagehide: 'away',
  offline: 'offline',
  // A page restored from the cache may still be hidden, but it needs its stream.
  pageshow: 'back',
  online: 'back',
}

/**
 * `away`: the user leaves the page, which the browser may keep in its cache. `offline`: there is no network. `back`: the page or the
 * network is available, so it is worth trying. Returns a function that stops watching.
 */
export function watchPage(on: (event: PageEvent) => void): () => void {
  const listening = new AbortController()
  const { signal } = listening
  for (const [type, event] of Object.entries(meanings)) {
    addEventListener(type, () => on(event), { signal })
  }
  // A worker has no document, only network events.
  globalThis.document?.addEventListener(
    'visibilitychange',
    () => {
      if (!document.hidden) on('back')
    },
    { signal },
  )
  return () => listening.abort()
}
