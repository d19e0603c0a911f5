/** The URL of a stream, with what the server must know of the reader. */

/**
 * Absolute. Only the browser can set the `Last-Event-ID` header, so a new EventSource presents in the query what it knows.
 * @throws {TypeError} `url` is not a URL
 */
export function streamUrl(url: string, known: Record<string, string | undefined> = {}): string {
  // A worker has no document, and is given absolute URLs.
  const absolute = new URL(url, globalThis.document?.baseURI)
  for (const [name, value] of Object.entries(known)) {
    if (value) absolute.searchParams.set(name, value)
  }
  return absolute.href
}
