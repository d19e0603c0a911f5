/** Reads what a request asks of a run. */
import { isRunId } from '@/protocol/run'
import { Refusal } from '@/server/refusal'

/** What a publisher asks. `begin`, `stop` and `end` are changes of the run, and `renew` publishes to it. */
export interface RunQuery {
  op: 'begin' | 'renew' | 'stop' | 'end'
  /** `latest` only with `stop`: the run that began last. */
  id: string
  onLiving: 'join' | 'refuse' | 'replace'
  status: 'done' | 'failed' | 'stopped'
}

/** Which run a reader asks for. */
export interface ReadRunQuery {
  /** Undefined: the run that began last. */
  id: string | undefined
  /** True: the stream ends with the run. False: the topic goes on. */
  isFinite: boolean
}

/**
 * Reads `?run=`, `?op=`, `?onLiving=` and `?status=` of a publish. Undefined where it is of no run.
 * @throws {Refusal} `invalid-query`
 */
export function readRunQuery(query: URLSearchParams): RunQuery | undefined {
  const id = query.get('run')
  if (id === null) {
    const alone = ['op', 'onLiving', 'status'].find((name) => query.has(name))
    if (alone === undefined) return undefined
    throw invalid(`\`${alone}\` needs a \`run\`.`)
  }
  const op = oneOf(query, 'op', ['renew', 'begin', 'stop', 'end'])
  if (!isRunId(id)) throw notAnId(id)
  if (id === 'latest' && op !== 'stop') throw invalid('Only `op=stop` can name the latest run.')
  return {
    op,
    id,
    onLiving: oneOf(query, 'onLiving', ['join', 'refuse', 'replace']),
    status: oneOf(query, 'status', ['done', 'failed', 'stopped']),
  }
}

/**
 * Reads `?run=` and `?since=run` of a stream. Undefined where it is of no run.
 * @throws {Refusal} `invalid-query`
 */
export function readReadRunQuery(query: URLSearchParams): ReadRunQuery | undefined {
  const id = query.get('run')
  if (id === null)
    return query.get('since') === 'run' ? { id: undefined, isFinite: false } : undefined
  if (query.has('last') || query.has('since')) {
    throw invalid('`run` begins with the run: leave `last` and `since` out.')
  }
  if (!isRunId(id)) throw notAnId(id)
  return { id: id === 'latest' ? undefined : id, isFinite: true }
}

/** The first choice is the default. */
function oneOf<Choice extends string>(
  query: URLSearchParams,
  name: string,
  choices: readonly [Choice, ...Choice[]],
): Choice {
  const text = query.get(name) ?? choices[0]
  const choice = choices.find((one) => one === text)
  if (choice !== undefined) return choice
  throw invalid(`\`${name}\` must be ${choices.join(', ')}.`)
}

function notAnId(id: string): Refusal {
  return invalid(
    `${JSON.stringify(id.slice(0, 100))} is not the id of a run: it must match [A-Za-z0-9][A-Za-z0-9_.-]{0,63}.`,
  )
}

function invalid(detail: string): Refusal {
  return new Refusal('invalid-query', detail)
}
