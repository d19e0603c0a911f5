/**
 * One budget of memory for all bodies that a process is receiving or publishing. Without it, each upload would have a limit and their
 * number none.
 */

export interface UploadBudget {
  /** What all bodies hold together. */
  readonly heldBytes: number
  /** The share of one more body. It holds nothing yet, so that uploads that send nothing take room from nobody. */
  open(): UploadShare
}

/** What one body holds of the budget. */
export interface UploadShare {
  /** Holds `bytes` in all from now on. False when there is no room for that; then it holds what it held. */
  resize(bytes: number): boolean
  /** Gives all of it back. Closing twice is harmless. */
  close(): void
}

export interface UploadBudgetOptions {
  /** Default 64 MiB. */
  totalBytes?: number
  /** How much of it small bodies alone may have, so that a few large uploads don't keep single events out. Default 16 MiB. */
  spareBytes?: number
  /** What a small body holds at most. Default 128 KiB: what an event of the default size takes. */
  smallBytes?: number
}

export function createUploadBudget({
  totalBytes = 64 * 1024 * 1024,
  spareBytes = 16 * 1024 * 1024,
  smallBytes = 128 * 1024,
}: UploadBudgetOptions = {}): UploadBudget {
  let heldBytes = 0

  return {
    get heldBytes() {
      return heldBytes
    },
    open() {
      let own = 0
      return {
        resize(bytes) {
          const room = bytes <= smallBytes ? totalBytes : totalBytes - spareBytes
          if (bytes > own && heldBytes - own + bytes > room) return false
          heldBytes += bytes - own
          own = bytes
          return true
        },
        close() {
          heldBytes -= own
          own = 0
        },
      }
    },
  }
}
