/** The one server object of this app. */
import { createSse } from 'next-sse'

export const sse = createSse()
