/** Everything the page says about a stream: in its pill, under its events, and in place of its events. */
import type { StreamError, StreamState } from 'next-sse/react'
import { formatCount, formatDuration, formatId, nounFor } from '@/components/ui/format'
import { phaseOf, type Phase, type Standing } from './phase'
import type { Stream } from './stream'

/** What the page calls the thing it reads. */
type Noun = 'stream' | 'topic' | 'chat'

export interface PillWords {
  word: string
  /** Follows the word in parentheses. */
  why?: string
}

export interface StreamWords extends PillWords {
  sentence: string
  /** What an empty list says: a title and a sentence. Without `rest` it says nothing. */
  title?: string
  rest?: string
}

export function streamWords(stream: Stream, noun: Noun): StreamWords {
  return { ...pillWords(stream, noun), ...sentences[phaseOf(stream)](stream, noun) }
}

/** What the pill alone says. */
export function pillWords(stream: PillStream, noun: Noun): PillWords {
  return words[phaseOf(stream)](stream, noun)
}

type PillStream = Standing & Pick<StreamState, 'error'>

/** True when the reader cleared all the events that came. */
export function isCleared({ events, received }: Stream): boolean {
  return events.length === 0 && received > 0
}

const words: Record<Phase, (stream: PillStream, noun: Noun) => PillWords> = {
  connecting: () => ({ word: 'Connecting' }),
  live: () => ({ word: 'Live' }),
  reconnecting: ({ attempt }) => ({ word: 'Reconnecting', why: `attempt ${attempt}` }),
  paused: () => ({ word: 'Paused', why: navigator.onLine ? 'in background' : 'offline' }),
  stopped: () => ({ word: 'Stopped' }),
  ended: () => ({ word: 'Ended' }),
  refused: ({ error }, noun) => ({ word: 'Refused', why: refusalWords(error, noun).why }),
}

type Sentences = Omit<StreamWords, keyof PillWords>

const sentences: Record<Phase, (stream: Stream, noun: Noun) => Sentences> = {
  connecting: () => ({ sentence: 'Opening the stream', rest: 'Opening the stream' }),
  live: (stream, noun) => {
    if (isCleared(stream)) return { sentence: 'Cleared. New events appear here.' }
    return {
      sentence: noun === 'topic' ? 'Listening' : 'Listening for the next event',
      title: 'No events yet',
      rest: 'The stream is open. Publish one here, or from a terminal.',
    }
  },
  reconnecting: (stream) => ({
    sentence: resumeSentence(stream),
    title: 'Connection lost',
    rest: 'Trying again automatically.',
  }),
  paused: (stream) => ({
    sentence: resumeSentence(stream),
    ...(navigator.onLine
      ? { title: 'Paused', rest: 'The stream opens again when the page is back.' }
      : { title: 'You are offline', rest: 'The stream opens again when the network is back.' }),
  }),
  stopped: (stream) => {
    const offset = lastOffset(stream)
    return {
      sentence: offset === undefined ? 'Stopped' : `Stopped after ${offset}`,
      title: 'Stopped',
      rest: 'Press Start to open the stream.',
    }
  },
  ended: ({ received, openedAt = 0, closedAt = openedAt }) => {
    const count = `${formatCount(received)} ${nounFor(received, 'event')}`
    const sentence = `The server ended the stream: ${count} in ${formatDuration(closedAt - openedAt)}.`
    return { sentence, rest: sentence }
  },
  refused: ({ error }, noun) => refusalWords(error, noun),
}

function refusalWords(error: StreamError | undefined, noun: Noun): Sentences & { why: string } {
  if (error?.kind === 'reader') {
    const title = 'You are now signed in with a different account'
    const rest = 'Reload the page to read with that account.'
    return { why: 'another account', sentence: `${title}.`, title, rest }
  }
  const status = error?.status
  if (status === undefined) {
    const sentence = `${error?.message ?? 'No answer.'} Press Start to try again.`
    return { why: 'no answer', sentence, rest: sentence }
  }
  const rest = `The server refused the stream (${status}).`
  if (status === 401) {
    const title = `Sign in to read this ${noun}`
    return { why: 'sign in first', sentence: `${title}.`, title, rest }
  }
  if (status === 403) {
    const title = `You may not read this ${noun}`
    const why = 'not allowed'
    // The reader here is the operator: the message names the variables to set.
    if (error?.code === 'secret-not-set') {
      return { why, sentence: `${title}.`, title, rest: error.message }
    }
    return { why, sentence: `${title}.`, title, rest }
  }
  if (status === 400 || status === 404) {
    const why = `no such ${noun}`
    return { why, sentence: `There is ${why}.`, title: `No such ${noun}`, rest }
  }
  return {
    why: 'no event stream',
    sentence: 'The server refused the stream. Press Start to try again.',
    title: 'No event stream',
    rest,
  }
}

function resumeSentence(stream: Stream): string {
  const offset = lastOffset(stream)
  return offset === undefined ? 'Will retry automatically' : `Will resume after ${offset}`
}

/** The offset of the last event. Undefined before the first: offsets begin at 1. */
function lastOffset({ lastEventId }: Stream): string | undefined {
  const offset = formatId(lastEventId)
  return offset === '' || offset === '0' ? undefined : offset
}
