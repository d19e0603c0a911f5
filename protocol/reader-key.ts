/** Reader keys identify the reader of a stream without revealing the user. Two requests with the same key have the same reader. */

/** The key of every reader of a stream that needs no token. */
export const anonymousReader = '47DEQpj8HBSa-_TI'

/** True when `text` has the format of a reader key. */
export function isReaderKey(text: unknown): text is string {
  return typeof text === 'string' && /^[\w-]{16}$/.test(text)
}
