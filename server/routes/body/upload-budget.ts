/**
 * One memory budget for all bodies that a process is receiving or publishing. The limit per body alone would not limit the total.
 */

export interface UploadBudget {
  /** The bytes reserved by all bodies together. */
  readonly heldBytes: number
  /** Creates the share of one more body. It reserves nothing yet, so an upload that sends nothing costs no budget. */
  open(): UploadShare
}

/** The part of the budget that one body has reserved. */
export interface UploadShare {
  /** Changes the reservation to `bytes`. Returns false, and changes nothing, when the budget is too small. */
  resize(bytes: number): boolean
  /** Releases the reservation. Closing twice is harmless. */
  close(): void
}

export interface UploadBudgetOptions {
  /** Default 64 MiB. */
  totalBytes?: number
  /** The part of `totalBytes` that only small bodies can use, so that a few large uploads don't block single events. Default 16 MiB. */
  spareBytes?: number
  /** The largest reservation that counts as a small body. Default 128 KiB: enough for an event of the default size limit. */
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
          const limit = bytes <= smallBytes ? totalBytes : totalBytes - spareBytes
          if (bytes > own && heldBytes - own + bytes > limit) return false
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
