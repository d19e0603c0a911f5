'use client'
/** The import as it stands, and the buttons to start and stop it. */
import type { Preloaded } from 'next-sse'
import { useTransition, type ReactNode } from 'react'
import { useRun } from '@/app/hooks'
import { ImportPanel } from '@/components/runs/import-panel'
import { importTopic, rowCount } from './import-topic'

interface LiveImportProps {
  initial: Preloaded
  start: () => Promise<void>
  stop: () => Promise<void>
}

export function LiveImport({ initial, start, stop }: LiveImportProps): ReactNode {
  const { status, latest, connection } = useRun(importTopic, { initial, share: 'tabs' })
  const [isAsking, ask] = useTransition()

  return (
    <ImportPanel
      status={status}
      isAway={connection === 'reconnecting' || connection === 'failed'}
      done={latest?.data.done ?? 0}
      total={rowCount}
      newest={latest?.data.newest}
      isAsking={isAsking}
      onStart={() => ask(start)}
      onStop={() => ask(stop)}
    />
  )
}
