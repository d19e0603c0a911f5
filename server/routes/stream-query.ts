/** Reads the query of a stream request: the start, the encoding and the expected reader. The topics are in the path. */
import type { PresentedCursor } from '@/protocol/cursor'
import { parseDuration } from '@/protocol/duration'
import type { Start } from '@/server/log/event-log'
import { isReaderKey } from '@/protocol/reader-key'
import { readPresentedCursor } from './presented-cursor'
import { readReadRunQuery, type ReadRunQuery } from './run-query'
import type { RequestHead } from '@/server/sse/sse-request'
import { Refusal } from '@/server/refusal'

export interface StreamQuery {
  /** Which run the stream begins with. Undefined: none. */
  run: ReadRunQuery | undefined
  /** Where to start. Undefined: start now. */
  start: Start<PresentedCursor> | undefined
  /** True when events must come in envelopes. Undefined when the server may choose. */
  envelope: boolean | undefined
  /** The reader key that the client expects, known from an earlier answer. */
  reader: string | undefined
}

const maxLast = 1_000

/**
 * Reads the presented cursor, `?last=`, `?since=`, `?envelope=` and `?reader=`. A cursor wins over `last` and `since`, because a browser
 * that reconnects keeps its URL. `last` and `since` are checked even then, so that the same URL is always valid or always refused.
 * @throws {Refusal} `invalid-cursor` or `invalid-query`
 */
export function readStreamQuery(
  request: RequestHead,
  query = new URL(request.url).searchParams,
): StreamQuery {
  const cursor = readPresentedCursor(request, query)
  const run = readReadRunQuery(query)
  const beginning = readBeginning(query.get('last'), query.get('since'))
  const envelope = query.get('envelope')
  if (envelope !== null && envelope !== '0' && envelope !== '1') {
    throw invalid('`envelope` must be 1 or 0.')
  }
  const reader = query.get('reader') ?? undefined
  if (reader !== undefined && !isReaderKey(reader)) {
    throw invalid('`reader` must be the key that `connected` told, or be left out.')
  }
  return {
    run,
    reader,
    start: cursor ? { cursor } : beginning,
    envelope: envelope === null ? undefined : envelope === '1',
  }
}

function readBeginning(
  last: string | null,
  since: string | null,
): { last: number } | { since: number } | undefined {
  if (last !== null && since !== null) {
    throw invalid('`last` and `since` exclude each other: leave one of them out.')
  }
  if (last !== null) {
    const count = /^\d{1,4}$/.test(last) ? Number(last) : Infinity
    if (count <= maxLast) return { last: count }
    throw invalid(`\`last\` must be a whole number from 0 to ${maxLast}.`)
  }
  if (since === 'run') return undefined
  if (since !== null) {
    const agoMs = since === 'all' ? Infinity : parseDuration(since)
    if (agoMs !== undefined) return { since: Math.max(0, Date.now() - agoMs) }
    throw invalid('`since` must be `all`, `run` or a duration, such as 500ms, 15s, 10m, 24h or 7d.')
  }
  return undefined
}

function invalid(detail: string): Refusal {
  return new Refusal('invalid-query', detail)
}
