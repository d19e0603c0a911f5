/** Parses JSON from untrusted sources. */

/** Parses a JSON object. Returns undefined for any other JSON value, and for text that is not JSON. */
export function parseJsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    return value as Record<string, unknown>
  } catch {
    // `JSON.parse` throws only when the text is not JSON.
    return undefined
  }
}

/** True when `text` is JSON of any kind. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
