/** The tutorial's stream: three greetings, two seconds apart. */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  parseCursor,
  Refusal,
  type ServerSentEvent,
  type StreamContext,
  type StreamedEvents,
} from 'next-sse'

const greetings = ['Hi there', 'How are you?', 'I am fine']

/** The first half of the greetings' ids: they are the same in every process and never change. */
const epoch = 'hello'
const pauseMs = 2_000

/** The greetings after the last one that the reader got; nothing once it has all of them. */
export function greet({
  lastEventId,
  signal,
}: Pick<StreamContext, 'lastEventId' | 'signal'>): StreamedEvents {
  const after = placeOf(lastEventId)
  if (after === greetings.length) return undefined
  return {
    events: greetingsAfter(after ?? 0, signal),
    resumed: after !== undefined,
    cursor: idOf(after ?? 0),
  }
}

/** How many greetings the reader has; undefined where its id is none of ours. */
function placeOf(lastEventId: string | undefined): number | undefined {
  if (lastEventId === undefined) return undefined
  const cursor = parseCursor(lastEventId)
  if (!cursor) throw new Refusal('invalid-cursor', 'A greeting has an id such as hello.2.')
  return cursor.epoch === epoch && cursor.offset <= greetings.length ? cursor.offset : undefined
}

/** Each but the very first comes after its pause. */
async function* greetingsAfter(
  count: number,
  signal: AbortSignal,
): AsyncGenerator<ServerSentEvent> {
  for (const [index, message] of greetings.entries()) {
    if (index < count) continue
    if (index > 0) await sleep(pauseMs, undefined, { signal })
    yield { id: idOf(index + 1), data: JSON.stringify({ message }) }
  }
}

function idOf(count: number): string {
  return `${epoch}.${count}`
}
