/**
 * Space on the disk that is given up when the disk is full. Removing events needs some: SQLite writes what changes into the write-ahead
 * log, and from there into the file, before it can use the room that the events had.
 */
import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs'

export interface DiskReserve {
  /** Frees the space. */
  release: () => void
  /** Takes it again, or what of it there is. */
  restore: () => void
}

/** More than the write-ahead log grows to before it is written into the file. */
const reserveBytes = 8 * 1024 * 1024
const piece = Buffer.alloc(1024 * 1024, 1)

/** The file `<file>-reserve`, which several processes may share. */
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
        // A disk without room for it still has room for events. It is tried again when the log is opened.
      }
    },
  }
}
