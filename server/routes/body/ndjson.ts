/**
 * Splits NDJSON: one JSON text per line.
 * @see https://github.com/ndjson/ndjson-spec
 */
import { isJson } from '@/protocol/json'
import { Refusal } from '@/server/refusal'

/**
 * Returns the lines that are not blank, unchanged but without their ends (LF or CRLF).
 * @throws {Refusal} `too-many-events`, `event-too-large`, `invalid-json` or `empty-body`: the first fault found
 */
export function splitNdjson(
  text: string,
  { eventMaxBytes, maxEvents }: { eventMaxBytes: number; maxEvents: number },
): string[] {
  const data: string[] = []
  // `split` would allocate millions of strings for a body of blank lines.
  for (let start = 0, number = 1; start < text.length; number++) {
    const lineFeed = text.indexOf('\n', start)
    const end = lineFeed === -1 ? text.length : lineFeed
    const line = text.slice(start, text[end - 1] === '\r' && end > start ? end - 1 : end)
    start = end + 1
    if (isBlank(line)) continue
    if (data.length === maxEvents) {
      throw new Refusal(
        'too-many-events',
        `A body can have at most ${maxEvents} events: split it into several.`,
      )
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
  throw new Refusal('empty-body', 'The body has no events: send one event per line.')
}

/** Blank means only JSON white space. */
function isBlank(line: string): boolean {
  return !/[^\t\r ]/.test(line)
}
