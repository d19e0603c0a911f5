/** The URL of a stream of topics. Parts of a page that ask for the same topics in the same way can share a stream. */
export function topicsUrl(
  topics: readonly string[],
  { path, last, since }: { path: string; last?: number | undefined; since?: string | undefined },
): string {
  const query = new URLSearchParams({ envelope: '1' })
  if (last !== undefined) query.set('last', String(last))
  if (since !== undefined) query.set('since', since)
  return `${path}/${topics.map((topic) => encodeURIComponent(topic)).join(',')}?${query}`
}
