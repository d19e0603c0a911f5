import { sse } from '@/app/sse'

export const { GET, HEAD, POST, OPTIONS } = sse.topicRoute
