/** Which events a stream wants, and how each of them is encoded. */
export interface Selection {
  readonly topics: readonly string[]
  /** True: every event is a `message` whose data is one line of JSON, `{topic, type, time, data}`. */
  readonly envelope: boolean
  /** Equal for two selections of the same topics and encoding. */
  readonly key: string
}

export function createSelection(topics: readonly string[], envelope: boolean): Selection {
  return { topics, envelope, key: `${envelope} ${topics.join()}` }
}
