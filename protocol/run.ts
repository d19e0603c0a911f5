/** Runs on the wire: a run is a span of a topic, from the event `run.begin` to the event `run.end`. */
import { parseJsonObject } from './json'

/** How a run stands. `unknown`: there is no run, or nothing is known of it any more. */
export type RunStatus = 'running' | RunEnd | 'unknown'
/** How a run ended. `lost`: nothing was heard of its producer for too long. */
export type RunEnd = 'done' | 'failed' | 'stopped' | 'lost'

/** Why a run failed or was stopped. */
export type RunReason =
  /** Its source threw an error, or its producer said so. */
  | 'error'
  /** A value, or all values together, had too many bytes. */
  | 'too-large'
  /** It had too many values. */
  | 'too-long'
  /** The process that produced it was stopped. */
  | 'drain'
  /** Another run took its place. */
  | 'replaced'

/** The data of the events that a run consists of besides its values. They are stored in the topic; publishers can't use their types. */
export interface RunEvents {
  /** The first event of the span. */
  'run.begin': { run: string }
  /** The run was asked to stop. More values may follow. */
  'run.stop': { run: string; reason?: RunReason | undefined }
  /** The last event of the span. */
  'run.end': { run: string; status: RunEnd; reason?: RunReason | undefined }
  /** A part of a value that is too large for one event: `text` is that of `data`. All parts of a value follow each other. */
  'run.part': { type: string; part: number; of: number; text: string }
}

const runTypes: ReadonlySet<string> = new Set<string>([
  'run.begin',
  'run.stop',
  'run.end',
  'run.part',
] satisfies (keyof RunEvents)[])

/** True for the types of `RunEvents`. */
export function isRunType(type: string): type is keyof RunEvents {
  return runTypes.has(type)
}

const grammar = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/

/** True when `value` matches the grammar of a run's id, `[A-Za-z0-9][A-Za-z0-9_.-]{0,63}`. */
export function isRunId(value: string): boolean {
  return grammar.test(value)
}

/** Cuts the text of a value into the data of `run.part` events of at most `maxBytes` each, or one unit of the text if that is more. */
export function splitValue(type: string, text: string, maxBytes: number): string[] {
  const overhead = JSON.stringify({ type, part: 1e9, of: 1e9, text: '' }).length
  // JSON text needs at most three bytes for a unit: a quote becomes two characters, and a unit of UTF-16 at most three bytes.
  const units = Math.max(1, Math.floor((maxBytes - overhead) / 3))
  const pieces: string[] = []
  for (let from = 0; from < text.length;) {
    let to = from + units
    // Not between the halves of a surrogate pair, which would need six bytes each.
    if (to > from + 1 && to < text.length && /[\uD800-\uDBFF]/.test(text.charAt(to - 1))) to--
    pieces.push(text.slice(from, to))
    from = to
  }
  return pieces.map((piece, part) =>
    JSON.stringify({ type, part, of: pieces.length, text: piece } satisfies RunEvents['run.part']),
  )
}

/** Joins parts. Returns the value when `data` is its last part; undefined for the others, and for parts whose beginning is missing. */
export function createPartJoiner(): (data: string) => { type: string; data: string } | undefined {
  let texts: string[] = []

  return (data) => {
    const { type, part, of, text } = parseJsonObject(data) ?? {}
    if (typeof type !== 'string' || typeof text !== 'string') return undefined
    if (part === 0) texts = []
    else if (part !== texts.length || texts.length === 0) {
      texts = []
      return undefined
    }
    texts.push(text)
    if (texts.length !== of) return undefined
    const joined = texts.join('')
    texts = []
    return { type, data: joined }
  }
}
