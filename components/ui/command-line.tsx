'use client'
/** A command for the terminal, and a button that copies it. */
import { useEffect, useState, type ReactNode } from 'react'
import { Button } from './button'
import styles from './command-line.module.css'
import { CheckIcon, CopyIcon } from './icons'

const copiedForMs = 2_000

interface CommandLineProps {
  command: string
  /** What the command does, where it stands among others. */
  caption?: string
}

export function CommandLine({ command, caption }: CommandLineProps): ReactNode {
  // An object, so that copying once more starts the two seconds anew.
  const [outcome, setOutcome] = useState<{ copied: boolean }>()

  useEffect(() => {
    if (!outcome?.copied) return undefined
    const timer = setTimeout(() => setOutcome(undefined), copiedForMs)
    return () => clearTimeout(timer)
  }, [outcome])

  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(command)
      setOutcome({ copied: true })
    } catch {
      // Not allowed, or no clipboard at all: a page served over plain HTTP has none.
      setOutcome({ copied: false })
    }
  }

  return (
    <>
      <figure className={`${styles.box} ${caption ? styles.captioned : ''}`}>
        {caption && <figcaption>{caption}</figcaption>}
        <code>{command}</code>
        <span className={styles.copy}>
          <Button look="quiet" onClick={() => void copy()}>
            {outcome?.copied ? <CheckIcon /> : <CopyIcon />}
            {outcome?.copied ? 'Copied' : 'Copy'}
          </Button>
        </span>
      </figure>
      <p aria-live="polite" className={outcome?.copied === false ? styles.hint : styles.unseen}>
        {outcome && (outcome.copied ? 'Copied' : 'Select and copy by hand.')}
      </p>
    </>
  )
}
