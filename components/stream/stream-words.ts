/** Everything the page says about where a stream stands: in its pill, at the end of its line, and in place of its events. */
import type { StreamError } from 'next-sse/react'
import { formatCount, formatDuration, formatId, nounFor } from '@/components/ui/format'
import { phaseOf, type Phase } from './phase'
import type { Stream } from './stream'

/** What the page calls it that is read. */
type Noun = 'stream' | 'topic'

export interface StreamWords {
  word: string
  /** Stands in parentheses after the word. */
  why?: string
  sentence: string
  /** What a list without events says, as far as it differs from the sentence. */
  title?: string
  rest?: string
}

export function streamWords(stream: Stream, noun: Noun): StreamWords {
  return words[phaseOf(stream)](stream, noun)
}

/** Nothing is there to be seen, but there was. */
export function isCleared({ events, received }: Stream): boolean {
  return events.length === 0 && received > 0
}

const words: Record<Phase, (stream: Stream, noun: Noun) => StreamWords> = {
  connecting: () => ({
    word: 'Connecting',
    sentence: 'Opening the stream',
    rest: 'Opening the stream',
  }),
  live: (stream, noun) => {
    if (isCleared(stream)) return { word: 'Live', sentence: 'Cleared. New events appear here.' }
    return {
      word: 'Live',
      sentence: noun === 'topic' ? 'Listening' : 'Listening for the next event',
      title: 'No events yet',
      rest: 'The stream is open. Publish one here, or from a terminal.',
    }
  },
  reconnecting: (stream) => ({
    word: 'Reconnecting',
    why: `attempt ${stream.attempt}`,
    sentence: returnOf(stream),
    title: 'Connection lost',
    rest: 'Trying again by itself.',
  }),
  paused: (stream) => ({
    word: 'Paused',
    sentence: returnOf(stream),
    ...(navigator.onLine
      ? {
          why: 'in background',
          title: 'Paused',
          rest: 'The stream opens again when the page is back.',
        }
      : {
          why: 'offline',
          title: 'You are offline',
          rest: 'The stream opens again when the network is back.',
        }),
  }),
  stopped: (stream) => {
    const place = placeOf(stream)
    return {
      word: 'Stopped',
      sentence: place === undefined ? 'Stopped' : `Stopped after ${place}`,
      title: 'Stopped',
      rest: 'Press Start to open the stream.',
    }
  },
  ended: ({ received, openedAt = 0, closedAt = openedAt }) => {
    const count = `${formatCount(received)} ${nounFor(received, 'event')}`
    const sentence = `The server ended the stream: ${count} in ${formatDuration(closedAt - openedAt)}.`
    return { word: 'Ended', sentence, rest: sentence }
  },
  refused: ({ error }, noun) => ({ word: 'Refused', ...refusalOf(error, noun) }),
}

function refusalOf(error: StreamError | undefined, noun: Noun): Omit<StreamWords, 'word'> {
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
    // This one is for the operator: the message names the variables to set.
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

function returnOf(stream: Stream): string {
  const place = placeOf(stream)
  return place === undefined ? 'Will try again by itself' : `Will resume after ${place}`
}

/** Undefined before the first event: nobody counts from 0. */
function placeOf({ lastEventId }: Stream): string | undefined {
  const offset = formatId(lastEventId)
  return offset === '' || offset === '0' ? undefined : offset
}
