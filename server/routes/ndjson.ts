/**
 * JSON texts, one on each line.
 * @see https://github.com/ndjson/ndjson-spec
 */
import { problem, type Problem } from '@/server/problem'

/** The lines that are not blank, as they came but for their ends (LF or CRLF); or the first fault found in them. */
export function splitNdjson(
  text: string,
  { eventMaxBytes, maxEvents }: { eventMaxBytes: number; maxEvents: number },
): { data: string[] } | { problem: Problem } {
  const data: string[] = []
  // Not `split`: millions of blank lines fit into a body, and none of them need be kept.
  for (let start = 0, number = 1; start < text.length; number++) {
    const lineFeed = text.indexOf('\n', start)
    const end = lineFeed === -1 ? text.length : lineFeed
    const line = text.slice(start, text[end - 1] === '\r' && end > start ? end - 1 : end)
    start = end + 1
    if (isBlank(line)) continue
    if (data.length === maxEvents) {
      return refuse('too-many-events', `A body has at most ${maxEvents} events: send several.`)
    }
    if (Buffer.byteLength(line) > eventMaxBytes) {
      return refuse('event-too-large', `Line ${number} exceeds ${eventMaxBytes} bytes.`)
    }
    if (!isJson(line)) {
      return refuse('invalid-json', `Line ${number} is not JSON; no event was published.`)
    }
    data.push(line)
  }
  return data.length > 0 ? { data } : refuse('empty-body', 'Each line is an event: send some.')
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    // It throws for nothing else.
    return false
  }
}

/** By JSON's own white space. */
function isBlank(line: string): boolean {
  return !/[^\t\r ]/.test(line)
}

function refuse(...args: Parameters<typeof problem>): { problem: Problem } {
  return { problem: problem(...args) }
}
