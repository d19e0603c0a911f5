export {
  chatRoute,
  type ChatAnswer,
  type ChatQuestion,
  type ChatRoute,
  type ChatRouteOptions,
} from '@/server/ai/chat-route'
export type { ChatRequest } from '@/server/ai/chat-request'
