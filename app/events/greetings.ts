/** The tutorial's stream: three greetings, two seconds apart. */
import { setTimeout as sleep } from 'node:timers/promises'
import { formatCursor } from '@/protocol/cursor'
import type { ServerSentEvent } from '@/protocol/event'

export const greetings = ['Hi there', 'How are you?', 'I am fine']

/** The epoch of the greetings' ids: they are the same in every process and never change. */
export const greetingsEpoch = 'hello'

const pauseMs = 2_000

/** The greetings after the first `offset`, each but the very first after its pause. */
export async function* greetingsAfter(
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<ServerSentEvent> {
  for (const [index, message] of greetings.entries()) {
    if (index < offset) continue
    if (index > 0) await sleep(pauseMs, undefined, { signal })
    const id = formatCursor({ epoch: greetingsEpoch, offset: index + 1 })
    yield { id, data: JSON.stringify({ message }) }
  }
}
