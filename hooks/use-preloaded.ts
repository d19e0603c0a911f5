'use client'
/** Reads what `sse.preload` returned, for useTopics. */
import { useState } from 'react'
import type { EventSourceClientOptions } from '@/client/event-source-client'
import { parsePreloaded, type Preloaded, type PreloadedTopics } from '@/protocol/preloaded'

type InitialOptions = Pick<
  EventSourceClientOptions,
  'initialEvents' | 'initialGap' | 'initialLastEventId' | 'initialReader' | 'initialError'
>

/**
 * The options that `initial` stands for; none when it is of other topics or another path.
 * @throws {Error} in development, when a component mounts with an `initial` of other topics or another path
 */
export function usePreloaded(
  initial: Preloaded | undefined,
  topics: readonly string[],
  path: string,
): InitialOptions {
  const [kept, keep] = useState(() => {
    const first = initial === undefined ? undefined : read(initial)
    if (first && process.env.NODE_ENV !== 'production') checkMatch(first, topics, path)
    return first
  })
  const isKept = initial === undefined || kept?.text === initial
  const current = isKept ? kept : read(initial)
  if (current !== kept) keep(current)
  // The page may have changed its topics since. What was preloaded is used if it changes them back.
  return current?.preloaded && isOf(current.preloaded, topics, path) ? current.options : none
}

interface Read {
  text: string
  preloaded: PreloadedTopics | undefined
  options: InitialOptions
}

const none: InitialOptions = {}

function read(text: Preloaded): Read {
  const preloaded = parsePreloaded(text)
  return { text, preloaded, options: preloaded ? optionsOf(preloaded) : none }
}

function checkMatch({ preloaded }: Read, topics: readonly string[], path: string): void {
  if (preloaded && isOf(preloaded, topics, path)) return
  const what = preloaded
    ? `sse.preload(${JSON.stringify(preloaded.topics)}) at ${preloaded.path}`
    : 'another version of next-sse, or not from sse.preload'
  throw new Error(
    `useTopics(${JSON.stringify(topics)}) at ${path}: \`initial\` is from ${what}. Pass the same topics to both, and the same path to createSse and useTopics.`,
  )
}

function isOf(preloaded: PreloadedTopics, topics: readonly string[], path: string): boolean {
  // A `basePath`, which the server does not know, may precede the path.
  return path.endsWith(preloaded.path) && listOf(preloaded.topics) === listOf(topics)
}

function listOf(topics: readonly string[]): string {
  return [...new Set(topics)].toSorted().join(',')
}

function optionsOf({ answer, time: receivedAt }: PreloadedTopics): InitialOptions {
  if ('code' in answer) {
    const { status, code, detail: message } = answer
    return { initialError: { kind: 'refused', message, status, code } }
  }
  return {
    initialReader: answer.reader,
    initialLastEventId: answer.cursor,
    initialGap: answer.gap,
    initialEvents: answer.events.map(({ id, ...envelope }) => ({
      type: 'message',
      data: JSON.stringify(envelope),
      id,
      receivedAt,
    })),
  }
}
