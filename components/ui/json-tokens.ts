/**
 * JSON as text for people: indented, and in tokens to be coloured. Goes by the text and not by what it parses to, so that long numbers,
 * escapes and names given twice stay what they were.
 */
import { isJson } from '@/components/publish/publish-draft'

export interface JsonToken {
  kind: 'name' | 'value' | 'mark'
  text: string
}

/** As many elements as a browser lays out without a pause; a longer text is one token. */
const mostTokens = 4_000

/** Undefined when it is not JSON, or a single value: text reads better as it is. */
export function jsonTokens(text: string): JsonToken[] | undefined {
  if (!/^\s*[[{]/.test(text) || !isJson(text)) return undefined
  const tokens = tokensOf(text)
  if (tokens.length <= mostTokens) return tokens
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

  /** Marks in a row are one. */
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
