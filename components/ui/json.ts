/** Text that may be JSON: its value, and a version of it that people can read. */

/** The value; undefined when the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export interface JsonToken {
  kind: 'name' | 'value' | 'mark'
  text: string
}

/** A browser lays out this many elements without a pause; a longer text becomes one token. */
const maxTokens = 4_000

/**
 * An object or array, indented, in tokens to be coloured. Made from the text and not from its value, so that long numbers, escapes and
 * repeated names stay as they were. Undefined for any other text, which reads better as it is.
 */
export function jsonTokens(text: string): JsonToken[] | undefined {
  if (!/^\s*[[{]/.test(text) || parseJson(text) === undefined) return undefined
  const tokens = tokensOf(text)
  if (tokens.length <= maxTokens) return tokens
  return [{ kind: 'mark', text: tokens.map((token) => token.text).join('') }]
}

function tokensOf(text: string): JsonToken[] {
  const tokens: JsonToken[] = []
  const words = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? []
  let depth = 0
  const newLine = (): string => `\n${'  '.repeat(depth)}`

  for (const [index, word] of words.entries()) {
    if (isOpening(word)) {
      depth++
      add('mark', isClosing(words[index + 1]) ? word : word + newLine())
    } else if (isClosing(word)) {
      depth--
      add('mark', isOpening(words[index - 1]) ? word : newLine() + word)
    } else if (word === ',') add('mark', word + newLine())
    else if (word === ':') add('mark', ': ')
    else add(words[index + 1] === ':' ? 'name' : 'value', word)
  }
  return tokens

  /** Joins consecutive marks. */
  function add(kind: JsonToken['kind'], part: string): void {
    const last = tokens.at(-1)
    if (kind === 'mark' && last?.kind === 'mark') last.text += part
    else tokens.push({ kind, text: part })
  }
}

function isOpening(word: string | undefined): boolean {
  return word === '{' || word === '['
}

function isClosing(word: string | undefined): boolean {
  return word === '}' || word === ']'
}
