/**
 * An answer in a chat as a run: the events that carry it, and what a page and the chat route say to each other. An answer is written in
 * the chunks of the AI SDK, which this file does not look into.
 */
import type { RunReason, RunStatus } from './run'

/** The events of an answer besides those of every run. */
export interface AnswerEvents {
  /**
   * The message that the answer continues, as it was when the run began. Without this event the answer is a message of its own. Readers
   * that have this message skip the event.
   */
  'run.base': { messageId: string; parts: unknown[]; metadata?: unknown }
  /** What was written in about 50 ms: at least one chunk. */
  'run.chunks': unknown[]
}

/** The newest run of a chat, as the server knows it. */
export interface ChatRun {
  id: string
  topic: string
  status: Exclude<RunStatus, 'unknown'>
  /** Why it failed or was stopped. */
  reason?: RunReason | undefined
  /** A stream of the topic that starts after this cursor brings the whole run. */
  cursor: string
}

/** What the chat route answers when a message was sent. */
export interface SentAnswer {
  run: ChatRun
  /** True when the chat had a running answer already: this request began none. */
  joined: boolean
}

/** The topic of a chat, unless the app names another. */
export function topicOfChat(chatId: string): string {
  return `chat.${chatId}`
}
