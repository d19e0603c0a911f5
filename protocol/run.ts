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

const reasons: ReadonlySet<unknown> = new Set<RunReason>([
  'error',
  'too-large',
  'too-long',
  'drain',
  'replaced',
])
const ends: ReadonlySet<unknown> = new Set<RunEnd>(['done', 'failed', 'stopped', 'lost'])

export function isRunReason(value: unknown): value is RunReason {
  return reasons.has(value)
}

export function isRunEnd(value: unknown): value is RunEnd {
  return ends.has(value)
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

/**
 * Takes the data of a `run.part`. `texts` are those of the parts before. Returns the value with its last part; a part whose beginning is
 * missing is dropped.
 */
export function joinPart(
  texts: readonly string[],
  data: string,
): { texts: readonly string[]; value?: { type: string; data: string } } {
  const { type, part, of, text } = parseJsonObject(data) ?? {}
  if (typeof type !== 'string' || typeof text !== 'string') return { texts }
  const before = part === 0 ? [] : texts
  if (part !== before.length) return { texts: [] }
  const joined = [...before, text]
  if (joined.length !== of) return { texts: joined }
  return { texts: [], value: { type, data: joined.join('') } }
}
