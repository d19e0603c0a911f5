/**
 * Which tool calls of an answer a page has carried out. The tab that asked for the answer carries out each call once, also after it was
 * reloaded; other tabs and devices show the calls and leave them alone.
 */

export interface CalledTools {
  /** This tab has asked for the answer. */
  own: () => void
  /** True once for each call of the tab's own answers; otherwise the call is not to be carried out. */
  claim: (toolCallId: string) => boolean
  /** The answer has ended. */
  forget: () => void
}

/** Belongs to the tab: it survives a reload, and no other tab has it. */
export interface TabStorage {
  get: (key: string) => string | undefined
  set: (key: string, value: string) => void
  delete: (key: string) => void
}

/** Where the browser keeps nothing for the page, a reload ends what the tab was asked to carry out. */
export function createTabStorage(): TabStorage {
  const kept = new Map<string, string>()
  let session: Storage | undefined
  try {
    session = sessionStorage
  } catch {
    // The page may not keep anything, or is rendered by a server.
  }
  return {
    get: (key) => kept.get(key) ?? session?.getItem(key) ?? undefined,
    set(key, value) {
      kept.set(key, value)
      try {
        session?.setItem(key, value)
      } catch {
        // The storage is full.
      }
    },
    delete(key) {
      kept.delete(key)
      session?.removeItem(key)
    },
  }
}

export function calledTools(storage: TabStorage, runId: string): CalledTools {
  const key = `next-sse tools ${runId}`

  return {
    own() {
      if (storage.get(key) === undefined) storage.set(key, '[]')
    },
    claim(toolCallId) {
      const kept = storage.get(key)
      if (kept === undefined) return false
      const called = JSON.parse(kept) as unknown[]
      if (called.includes(toolCallId)) return false
      storage.set(key, JSON.stringify([...called, toolCallId]))
      return true
    },
    forget: () => storage.delete(key),
  }
}
