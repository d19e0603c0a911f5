/**
 * A cursor is a place in a log: everything up to `offset` has been read. Written as `<epoch>.<offset>`, it is the id of every frame,
 * so a browser's `Last-Event-ID` is a cursor.
 */

export interface Cursor {
  /** The name of a term of the log. A process begins a term with its first append. Offsets continue from term to term. */
  epoch: string
  /** Counts the events of the log from 1; 0 is the place before the first. */
  offset: number
}

/** A cursor that a reader presented, with its original text. */
export interface PresentedCursor extends Cursor {
  text: string
}

const grammar = /^([a-z0-9]{4,16})\.(0|[1-9]\d{0,15})$/

/** Parses a cursor. Returns undefined when `value` does not match the grammar `[a-z0-9]{4,16}\.(0|[1-9]\d{0,15})`. */
export function parseCursor(value: unknown): Cursor | undefined {
  if (typeof value !== 'string') return undefined
  const [, epoch, offset] = grammar.exec(value) ?? []
  if (epoch === undefined) return undefined
  return { epoch, offset: Number(offset) }
}

export function formatCursor({ epoch, offset }: Cursor): string {
  return `${epoch}.${offset}`
}

/** The place after an event. */
export function cursorOf({ epoch, offset }: Cursor): Cursor {
  return { epoch, offset }
}
