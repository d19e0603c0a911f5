/** Which events a stream wants, and how each of them is encoded. */
export interface Selection {
  readonly topics: readonly string[]
  /** True: every event is a `message` whose data is one line of JSON, `{topic, key, type, time, data}`. */
  readonly envelope: boolean
  /** The key of a topic's definition, for an envelope: `user.*` for `user.42`. Has only topics that are not their own key. */
  readonly keys: ReadonlyMap<string, string>
  /** Equal for two selections of the same topics and encoding. */
  readonly key: string
}

const noKeys: ReadonlyMap<string, string> = new Map()

export function createSelection(
  topics: readonly string[],
  envelope: boolean,
  keys = noKeys,
): Selection {
  return {
    topics,
    envelope,
    keys,
    key: `${envelope} ${topics.join()} ${[...keys.values()].join()}`,
  }
}
