import { sse } from '../../../sse'

export const { GET, HEAD, POST, OPTIONS } = sse.topicRoute
