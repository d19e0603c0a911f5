/** What an import tells of itself. */

export const importTopic = 'import'
export const rowCount = 2_000

export interface ImportProgress {
  /** How many rows are written. */
  done: number
  /** The name in the newest one. */
  newest: string
}
