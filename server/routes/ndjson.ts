/**
 * JSON texts, one on each line.
 * @see https://github.com/ndjson/ndjson-spec
 */
import { isJson } from '@/protocol/json'
import { Refusal } from '@/server/refusal'

/**
 * The lines that are not blank, as they came but for their ends (LF or CRLF).
 * @throws {Refusal} `too-many-events`, `event-too-large`, `invalid-json` or `empty-body`: the first fault found
 */
export function splitNdjson(
  text: string,
  { eventMaxBytes, maxEvents }: { eventMaxBytes: number; maxEvents: number },
): string[] {
  const data: string[] = []
  // Not `split`: millions of blank lines fit into a body, and none of them need be kept.
  for (let start = 0, number = 1; start < text.length; number++) {
    const lineFeed = text.indexOf('\n', start)
    const end = lineFeed === -1 ? text.length : lineFeed
    const line = text.slice(start, text[end - 1] === '\r' && end > start ? end - 1 : end)
    start = end + 1
    if (isBlank(line)) continue
    if (data.length === maxEvents) {
      throw new Refusal('too-many-events', `A body has at most ${maxEvents} events: send several.`)
    }
    if (Buffer.byteLength(line) > eventMaxBytes) {
      throw new Refusal('event-too-large', `Line ${number} exceeds ${eventMaxBytes} bytes.`)
    }
    if (!isJson(line)) {
      throw new Refusal('invalid-json', `Line ${number} is not JSON; no event was published.`)
    }
    data.push(line)
  }
  if (data.length > 0) return data
  throw new Refusal('empty-body', 'Each line is an event: send some.')
}

/** By JSON's own white space. */
function isBlank(line: string): boolean {
  return !/[^\t\r ]/.test(line)
}
