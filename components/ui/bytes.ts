/** Sizes of text for people, as UTF-8: `58 B`, `64 KiB`, `71.2 KiB`. */
export function formatBytes(text: string): string {
  const bytes = new TextEncoder().encode(text).length
  if (bytes < 1024) return `${bytes} B`
  // Rounded up, so that a size just over a limit does not read like the limit.
  return `${Math.ceil((bytes / 1024) * 10) / 10} KiB`
}
