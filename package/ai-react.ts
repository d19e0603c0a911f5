'use client'
export { ChatRequestError } from '@/client/ai/chat-request-error'
export {
  createRunTransport,
  type RunTransport,
  type RunTransportOptions,
} from '@/client/ai/run-transport'
export type { ChatConnection } from '@/client/ai/chat-stream'
export { AnswerError } from '@/client/ai/answer-chunks'
export { useChatRuns, type JoiningChat, type UseChatRunsOptions } from '@/hooks/use-chat-runs'
export type { ChatRun } from '@/protocol/chat-run'
