'use client'
/** A draft for a topic, and how to publish it. The draft stays until it is published. */
import { useRef, useState } from 'react'
import { publishDraft, type Draft, type Outcome } from './publish-draft'

interface Publisher {
  draft: Draft
  /** Changes parts of the draft. */
  change: (change: Partial<Draft>) => void
  isSending: boolean
  /** How the last attempt went; undefined before the first attempt and during each one. */
  outcome: Outcome | undefined
  /** Does nothing while an attempt is under way. */
  publish: () => Promise<void>
}

const emptyDraft: Draft = { type: '', data: '' }

export function usePublisher(topic: string): Publisher {
  const [draft, setDraft] = useState(emptyDraft)
  const [outcome, setOutcome] = useState<Outcome>()
  const [isSending, setIsSending] = useState(false)
  // A draft keeps its key until it is published: if it is sent again because no answer came, it is still published once.
  const unpublished = useRef<Draft & { key: string }>(undefined)

  function keyFor({ type, data }: Draft): string {
    const last = unpublished.current
    if (last?.type === type && last.data === data) return last.key
    const key = createIdempotencyKey()
    unpublished.current = { type, data, key }
    return key
  }

  async function publish(): Promise<void> {
    if (isSending) return
    setIsSending(true)
    setOutcome(undefined)
    const result = await publishDraft(topic, draft, keyFor(draft))
    setIsSending(false)
    setOutcome(result)
    if (result.kind !== 'published') return
    unpublished.current = undefined
    // If the reader typed meanwhile, that is the next draft.
    setDraft((current) => (current === draft ? emptyDraft : current))
  }

  return {
    draft,
    change: (change) => setDraft((current) => ({ ...current, ...change })),
    isSending,
    outcome,
    publish,
  }
}

/** `crypto.randomUUID` exists only in secure contexts; a server in a local network may have no HTTPS. */
function createIdempotencyKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join(
    '-',
  )
}
