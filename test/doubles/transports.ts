/** For `describe.each`: what a client may read with, and how many requests it takes to learn why one was refused. */
export const transports = [
  { by: 'an EventSource', transport: undefined, requestsForReason: 2 },
  { by: 'fetch', transport: 'fetch', requestsForReason: 1 },
] as const
