'use client'
/** A value that waits until it has not changed for a while. Empty is never waited for. */
import { useEffect, useState } from 'react'

export function useDebounced(value: string, delayMs: number): string {
  const [settled, setSettled] = useState(value)

  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), delayMs)
    return () => clearTimeout(timer)
  }, [value, delayMs])

  return value === '' ? '' : settled
}
