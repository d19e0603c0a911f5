'use server'
/** What the runs page can do. */
import { startImport, stopImport } from './import'

export async function start(): Promise<void> {
  await startImport()
}

export async function stop(): Promise<void> {
  await stopImport()
}
