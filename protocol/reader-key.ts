/** Reader keys: by these a server says who reads a stream, without telling who that is. Two requests of one key have one reader. */

/** The key of a stream that nobody had to say who they are for. */
export const anonymousReader = '47DEQpj8HBSa-_TI'

/** True for what could be the key of some reader. */
export function isReaderKey(text: unknown): text is string {
  return typeof text === 'string' && /^[\w-]{16}$/.test(text)
}
