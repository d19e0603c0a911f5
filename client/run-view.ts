/** Folds the events of a topic into the newest run of it. Knows nothing of React. */
import { parseJsonObject } from '@/protocol/json'
import {
  isRunEnd,
  isRunReason,
  isRunType,
  joinPart,
  type RunReason,
  type RunStatus,
} from '@/protocol/run'

/** A value of a run, as a page reads it. */
export interface RunEvent<Data = unknown, Type extends string = string> {
  /** Counts the values of the run from 1: a stable key for a list. */
  seq: number
  type: Type
  /** The JSON value that the run yielded; the text itself, when it is no JSON. */
  data: Data
  /** When it was written: milliseconds since the Unix epoch, by the log's clock. */
  time: number
}

/** What is known of the newest run. */
export interface RunView {
  /** Undefined: there is none, or nothing was heard yet. */
  readonly id: string | undefined
  readonly status: RunStatus
  readonly reason: RunReason | undefined
  /** The values: the first `count` of `list`. Later ones are added to the same list, so that a long run is not copied with each of them. */
  readonly list: RunEvent[]
  readonly count: number
  /** Between the first event of the run and the last. What others publish to the topic is no value. */
  readonly isInside: boolean
  /** The texts of the parts of a value that has not arrived completely. */
  readonly parts: readonly string[]
  /** How another run stands, whose beginning has not arrived yet. */
  readonly next: Standing | undefined
}

interface Standing {
  id: string
  status: RunStatus
  reason: RunReason | undefined
}

/** An event of the topic. `run.state`, which is no event of a topic, has the same form here. */
export interface TopicItem {
  type: string
  data: string
  time: number
}

/** Reads the text of a value. A value for which it throws is left out. */
export type ReadValue = (value: { type: string; data: string }) => unknown

export function initialRunView(): RunView {
  return viewOf({ id: undefined, status: 'unknown', reason: undefined })
}

/** The view after one more event. Throws what `readValue` throws. */
export function reduceRun(
  view: RunView,
  item: TopicItem,
  readValue: ReadValue = readJson,
): RunView {
  if (item.type === 'run.state') return hearState(view, standingIn(item.data))
  if (!isRunType(item.type)) return view.isInside ? addValue(view, item, readValue) : view
  if (item.type === 'run.part') {
    if (!view.isInside) return view
    const { texts, value } = joinPart(view.parts, item.data)
    const joined = { ...view, parts: texts }
    return value ? addValue(joined, { ...value, time: item.time }, readValue) : joined
  }
  const standing = standingIn(item.data)
  if (standing.id === undefined) return view
  const isOwn = standing.id === view.id
  switch (item.type) {
    case 'run.begin': {
      const known = [view, view.next].find((one) => one?.id === standing.id)
      const { status = 'running', reason } = known ?? {}
      return { ...viewOf({ id: standing.id, status, reason }), isInside: true }
    }
    case 'run.end':
      return isOwn ? { ...view, ...standing, isInside: false } : viewOf(standing)
    case 'run.stop':
      return view
  }
}

/** How a run stood when a stream began. */
function hearState(view: RunView, { id, status, reason }: Heard): RunView {
  if (id === undefined) return view.status === 'running' ? { ...view, status: 'unknown' } : view
  if (id === view.id) return { ...view, status, reason }
  // Of the run before, the rest comes first.
  if (view.isInside) return { ...view, next: { id, status, reason } }
  return { ...viewOf({ id, status, reason }), isInside: true }
}

function addValue(view: RunView, { type, data, time }: TopicItem, readValue: ReadValue): RunView {
  const seq = view.count + 1
  view.list[view.count] = { seq, type, data: readValue({ type, data }), time }
  return { ...view, count: seq }
}

function readJson({ data }: { data: string }): unknown {
  try {
    return JSON.parse(data)
  } catch {
    // It is no JSON, so it came from a program that sent text.
    return data
  }
}

function viewOf(standing: Heard): RunView {
  return { ...standing, list: [], count: 0, isInside: false, parts: [], next: undefined }
}

type Heard = Omit<Standing, 'id'> & { id: string | undefined }

function standingIn(text: string): Heard {
  const { run, status, reason } = parseJsonObject(text) ?? {}
  return {
    id: typeof run === 'string' ? run : undefined,
    status: isRunEnd(status) ? status : status === 'unknown' ? 'unknown' : 'running',
    reason: isRunReason(reason) ? reason : undefined,
  }
}
