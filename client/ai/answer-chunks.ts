/** An answer as the stream of chunks that the AI SDK reads. */
import type { UIMessageChunk } from 'ai'
import { calledTools, type TabStorage } from './called-tools'
import type { ChatStream } from './chat-stream'
import { quietToolCall, replayMessage } from './replay-message'
import type { ChatRun } from '@/protocol/chat-run'
import type { RunEnd } from '@/protocol/run'

/** Why an answer was not read to a good end. */
export class AnswerError extends Error {
  override name = 'AnswerError'
  /**
   * `failed`: writing the answer failed. `lost`: the server that wrote it has ended. `unreadable`: the answer, or a part of it, can't be
   * read.
   */
  readonly code: 'failed' | 'lost' | 'unreadable'

  constructor(code: AnswerError['code'], options?: ErrorOptions) {
    super(messages[code], options)
    this.code = code
  }
}

const messages = {
  failed: 'The answer could not be completed.',
  lost: 'The answer was lost: the server that wrote it has ended.',
  unreadable: 'A part of the answer is missing.',
}

export interface AnswerChunksOptions {
  storage: TabStorage
  /** The message that the page has at the end: an answer that continues it begins after it. Undefined: begins with the whole message. */
  lastMessageId: string | undefined
  /** The answer has ended. Not called when the page left before. */
  onEnd: (status: RunEnd) => void
}

/**
 * Reads the run from its beginning. Cancelling the stream leaves the run alone. It ends with an error when the run failed or was lost;
 * not with `stopped`, after which the page keeps what was written.
 */
export function answerChunks(
  stream: ChatStream,
  run: ChatRun,
  { storage, lastMessageId, onEnd }: AnswerChunksOptions,
): ReadableStream<UIMessageChunk> {
  const tools = calledTools(storage, run.id)
  let waiting: UIMessageChunk[] = []
  let ending: { error: AnswerError | undefined } | undefined
  let hasError = false
  let wake: (() => void) | undefined
  let leave: (() => void) | undefined

  function add(chunks: readonly UIMessageChunk[]): void {
    waiting = waiting.concat(chunks)
    wake?.()
  }

  function end(error?: AnswerError): void {
    ending = { error }
    wake?.()
  }

  function showCall(chunk: UIMessageChunk): UIMessageChunk[] {
    if (chunk.type === 'error') hasError = true
    if (chunk.type !== 'tool-input-available' || chunk.providerExecuted) return [chunk]
    return tools.claim(chunk.toolCallId) ? [chunk] : quietToolCall(chunk)
  }

  return new ReadableStream<UIMessageChunk>(
    {
      start() {
        leave = stream.read(run, {
          base(base) {
            if (base.messageId !== lastMessageId) add(replayMessage(base))
          },
          chunks: (chunks) => add((chunks as UIMessageChunk[]).flatMap(showCall)),
          end(status) {
            tools.forget()
            const isGood = status === 'done' || status === 'stopped'
            // A chunk may have told of the failure, in the words of the app.
            end(isGood || hasError ? undefined : new AnswerError(status))
            onEnd(status)
          },
          fail: (cause) => end(new AnswerError('unreadable', { cause })),
          left: () => end(),
        })
      },
      async pull(controller) {
        if (waiting.length === 0 && !ending) {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
        // An error drops what the reader has not taken yet, so it comes when all else was taken.
        const chunks = waiting
        waiting = []
        if (chunks.length > 0) for (const chunk of chunks) controller.enqueue(chunk)
        else if (ending?.error) controller.error(ending.error)
        else controller.close()
      },
      cancel: () => leave?.(),
    },
    { highWaterMark: 0 },
  )
}
