/** An answer of the AI SDK as the source of a run. */
import type { UIMessage, UIMessageChunk } from 'ai'
import type { AnswerEvents } from '@/protocol/chat-run'
import { inBatches } from './batches'
import { mergeDeltas } from './merge-deltas'

/** One value of the run: an event of the answer. */
type AnswerValue = {
  [Type in keyof AnswerEvents]: { type: Type; data: AnswerEvents[Type] }
}[keyof AnswerEvents]

/** The answer ended with an error, which its own last chunk tells to readers. */
class AnswerFailedError extends Error {
  override name = 'AnswerFailedError'
}

const everyMs = 50
const maxChunks = 1_000

/** The message that an answer to these messages continues: the last one, if the model wrote it. */
export function continuedMessage<Message extends UIMessage>(
  messages: readonly Message[],
): Message | undefined {
  const last = messages.at(-1)
  return last?.role === 'assistant' ? last : undefined
}

/**
 * The values of an answer. The first chunk is always `start` with the id of the message, so that every reader has the same.
 * @throws {AnswerFailedError} a chunk said that the answer failed; the answer was read to its end all the same
 */
export async function* answerValues(
  continued: UIMessage | undefined,
  answerId: string,
  stream: ReadableStream<UIMessageChunk>,
): AsyncGenerator<AnswerValue, void, undefined> {
  if (continued) {
    const { id: messageId, parts, metadata } = continued
    yield { type: 'run.base', data: { messageId, parts, metadata } }
  }
  let isFirst = true
  let errorText: string | undefined
  for await (const batch of inBatches(stream, { everyMs, maxItems: maxChunks })) {
    const chunks = isFirst ? withStart(batch, answerId) : batch
    isFirst = false
    for (const chunk of chunks) if (chunk.type === 'error') errorText = chunk.errorText
    yield { type: 'run.chunks', data: mergeDeltas(chunks) }
  }
  if (errorText !== undefined) throw new AnswerFailedError(errorText)
}

function withStart(chunks: UIMessageChunk[], messageId: string): UIMessageChunk[] {
  const [first, ...rest] = chunks
  if (first?.type !== 'start') return [{ type: 'start', messageId }, ...chunks]
  return [{ ...first, messageId: first.messageId ?? messageId }, ...rest]
}
