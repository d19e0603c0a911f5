/** What `useChat` sends to the chat route, checked. */
import type { UIMessage } from 'ai'
import { parseJsonObject } from '@/protocol/json'
import { Refusal } from '@/server/refusal'

/** A request for an answer. */
export interface ChatRequest<Message extends UIMessage = UIMessage> {
  /** The id of the chat. */
  chatId: string
  /** The conversation, as the page has it. Checked to be messages, and no more: `validateUIMessages` of the AI SDK checks their parts. */
  messages: Message[]
  trigger: 'submit-message' | 'regenerate-message'
  /** The message to write again, or that was edited. */
  messageId: string | undefined
  /** Everything else in the request's body. */
  body: Record<string, unknown>
}

/** @throws {Refusal} the body is not what a chat transport sends */
export function readChatRequest<Message extends UIMessage>(text: string): ChatRequest<Message> {
  const { id, messages, trigger, messageId, ...body } = parseJsonObject(text) ?? {}
  if (typeof id !== 'string' || id === '') throw malformed('id, the id of the chat')
  if (!Array.isArray(messages) || messages.length === 0 || !messages.every(isMessage)) {
    throw malformed('messages, at least one, each with id, role and parts')
  }
  if (trigger !== 'submit-message' && trigger !== 'regenerate-message') {
    throw malformed('trigger, which is submit-message or regenerate-message')
  }
  return {
    chatId: id,
    messages: messages as Message[],
    trigger,
    messageId: typeof messageId === 'string' ? messageId : undefined,
    body,
  }
}

function malformed(expected: string): Refusal {
  return new Refusal(
    'invalid-json',
    `Send what a chat transport sends: a JSON object with ${expected}.`,
  )
}

function isMessage(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { id, role, parts } = value as Record<string, unknown>
  return typeof id === 'string' && roles.has(role) && Array.isArray(parts) && parts.every(isPart)
}

function isPart(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'type' in value
}

const roles: ReadonlySet<unknown> = new Set(['system', 'user', 'assistant'])
