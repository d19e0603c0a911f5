/**
 * Which tool calls of an answer a page has carried out. The tab that asked for the answer carries out each call once, also after it was
 * reloaded; other tabs and devices show the calls and leave them alone.
 */

export interface CalledTools {
  /** True once for each call of the tab's own answers; otherwise the call is not to be carried out. */
  claim: (toolCallId: string) => boolean
  /** The answer has ended. */
  forget: () => void
}

/** Storage that belongs to the tab: it survives a reload, and no other tab has it. */
export type TabStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

/** Undefined where there is none. Then a reload ends what the tab was asked to carry out. */
export function tabStorage(): TabStorage | undefined {
  try {
    return sessionStorage
  } catch {
    // The page may not keep anything, or is rendered by a server.
    return undefined
  }
}

/** `isOwn`: this tab has asked for the answer just now. Without it, the storage tells whether it has asked before a reload. */
export function calledTools(
  storage: TabStorage | undefined,
  runId: string,
  { isOwn }: { isOwn: boolean },
): CalledTools {
  const key = `next-sse tools ${runId}`
  const kept = storage?.getItem(key) ?? undefined
  const called = new Set<unknown>(kept === undefined ? [] : (JSON.parse(kept) as unknown[]))
  const isCaller = isOwn || kept !== undefined
  if (isOwn) keep()

  function keep(): void {
    try {
      storage?.setItem(key, JSON.stringify([...called]))
    } catch {
      // The storage is full.
    }
  }

  return {
    claim(toolCallId) {
      if (!isCaller || called.has(toolCallId)) return false
      called.add(toolCallId)
      keep()
      return true
    },
    forget: () => storage?.removeItem(key),
  }
}
