/** An app whose runs are measured by bench/parts/runs.ts. */
import { createSse } from 'next-sse'

export const sse = createSse()
