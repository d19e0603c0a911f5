'use client'
/** A button that copies a text, and says for two seconds that it did. */
import { useEffect, useState, type ReactNode } from 'react'
import { Button, type ButtonProps } from './button'
import { CheckIcon, CopyIcon } from './icons'

const copiedForMs = 2_000

/** What to show when copying was refused. */
export const copyByHand = 'Select and copy by hand.'

interface Copying {
  /** Undefined before the first copy, and two seconds after each one that worked. */
  outcome: 'copied' | 'refused' | undefined
  copy: (text: string) => Promise<void>
}

export function useCopy(): Copying {
  // An object, so that copying again starts the two seconds again.
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

interface CopyButtonProps extends Pick<ButtonProps, 'look' | 'isSmall'> {
  text: string
  /** From `useCopy`. The component around the button announces the outcome. */
  copying: Copying
}

export function CopyButton({ text, copying, ...look }: CopyButtonProps): ReactNode {
  const isCopied = copying.outcome === 'copied'
  return (
    <Button {...look} onClick={() => void copying.copy(text)}>
      {isCopied ? <CheckIcon /> : <CopyIcon />}
      {isCopied ? 'Copied' : 'Copy'}
    </Button>
  )
}
