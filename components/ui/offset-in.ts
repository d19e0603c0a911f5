/** The part of an id that people count by: `42` of `k3f9.42`. An id of another grammar is shown whole. */
import { parseCursor } from '@/protocol/cursor'

export function offsetIn(id: string): string {
  return String(parseCursor(id)?.offset ?? id)
}
