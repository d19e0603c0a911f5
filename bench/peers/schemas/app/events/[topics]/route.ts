/** A route that takes anything, for bench/schemas.ts. */
import { createSse } from 'next-sse'

export const { GET, HEAD, POST, OPTIONS } = createSse().topicRoute
