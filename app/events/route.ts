/** `GET /events`: the greetings, resumed after the last one that the reader got. */
import { sse } from '@/app/sse'
import { greet } from './greetings'

export const { GET, HEAD, OPTIONS } = sse.streamRoute(greet)
