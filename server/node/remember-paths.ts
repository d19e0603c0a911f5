/** How many paths are remembered, and how long one may be: half a MiB at most. */
const limit = { paths: 1_000, length: 256 }

/** `judge`, with a memory of its answers: an app may have a thousand rules, and most requests are for few paths. */
export function rememberPaths<T>(judge: (path: string) => T): (path: string) => T {
  const known = new Map<string, T>()
  return (path) => {
    if (known.has(path)) return known.get(path) as T
    const answer = judge(path)
    if (path.length > limit.length) return answer
    const [oldest] = known.size < limit.paths ? [] : known.keys()
    if (oldest !== undefined) known.delete(oldest)
    known.set(path, answer)
    return answer
  }
}
