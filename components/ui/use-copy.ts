'use client'
/** Copies a text, and for two seconds says that it did. */
import { useEffect, useState } from 'react'

const copiedForMs = 2_000

interface Copying {
  /** Undefined before, and two seconds after. */
  outcome: 'copied' | 'refused' | undefined
  copy: (text: string) => Promise<void>
}

export function useCopy(): Copying {
  // An object, so that copying once more starts the two seconds anew.
  const [last, setLast] = useState<{ outcome: 'copied' | 'refused' }>()

  useEffect(() => {
    if (last?.outcome !== 'copied') return undefined
    const timer = setTimeout(() => setLast(undefined), copiedForMs)
    return () => clearTimeout(timer)
  }, [last])

  return {
    outcome: last?.outcome,
    async copy(text) {
      try {
        await navigator.clipboard.writeText(text)
        setLast({ outcome: 'copied' })
      } catch {
        // Not allowed, or no clipboard at all: a page served over plain HTTP has none.
        setLast({ outcome: 'refused' })
      }
    },
  }
}
