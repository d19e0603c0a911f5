/**
 * Reserved disk space, released when the disk is full. Removing events needs some space: SQLite writes the changes into the
 * write-ahead log, and from there into the file, before it can reuse the space of the removed events.
 */
import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs'

export interface DiskReserve {
  /** Frees the space. */
  release: () => void
  /** Reserves the space again, or as much of it as is free. */
  restore: () => void
}

/** More than the size at which SQLite writes the write-ahead log back into the file. */
const reserveBytes = 8 * 1024 * 1024
const piece = Buffer.alloc(1024 * 1024, 1)

/** Uses the file `<file>-reserve`. Several processes may share it. */
export function createDiskReserve(file: string): DiskReserve {
  const path = `${file}-reserve`
  return {
    release: () => rmSync(path, { force: true }),
    restore() {
      if (statSync(path, { throwIfNoEntry: false })?.size === reserveBytes) return
      try {
        const reserve = openSync(path, 'w')
        try {
          for (let size = 0; size < reserveBytes; size += piece.length) writeSync(reserve, piece)
        } finally {
          closeSync(reserve)
        }
      } catch {
        // Without a reserve, the log still works while there is space for events. Opening the log tries again.
      }
    },
  }
}
