'use client'
/** A draft for a topic, and publishing it. What was not published stays. */
import { useRef, useState } from 'react'
import { publishDraft, type Draft, type Outcome } from './publish-draft'

interface Publisher {
  draft: Draft
  /** Changes the draft. */
  write: (change: Partial<Draft>) => void
  isSending: boolean
  /** How the last attempt went; undefined before the first, and during each. */
  outcome: Outcome | undefined
  /** Does nothing while an attempt is under way. */
  publish: () => Promise<void>
}

const emptyDraft: Draft = { type: '', data: '' }

export function usePublisher(topic: string): Publisher {
  const [draft, setDraft] = useState(emptyDraft)
  const [outcome, setOutcome] = useState<Outcome>()
  const [isSending, setIsSending] = useState(false)
  // A draft keeps its key until it is published: sent again because no answer came, it is published once.
  const unpublished = useRef<Draft & { key: string }>(undefined)

  function keyOf({ type, data }: Draft): string {
    const last = unpublished.current
    if (last?.type === type && last.data === data) return last.key
    const key = createKey()
    unpublished.current = { type, data, key }
    return key
  }

  async function publish(): Promise<void> {
    if (isSending) return
    setIsSending(true)
    setOutcome(undefined)
    const result = await publishDraft(topic, draft, keyOf(draft))
    setIsSending(false)
    setOutcome(result)
    if (result.kind !== 'published') return
    unpublished.current = undefined
    // What was written meanwhile is the next draft.
    setDraft((current) => (current === draft ? emptyDraft : current))
  }

  return {
    draft,
    write: (change) => setDraft((current) => ({ ...current, ...change })),
    isSending,
    outcome,
    publish,
  }
}

/** `crypto.randomUUID` is there only in a secure context, and a hub in a local network may have none. */
function createKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join(
    '-',
  )
}
