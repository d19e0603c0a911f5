/** This process's log: a line of JSON for each noteworthy thing, on standard output. Never an event's data, a token or a cookie. */
import pino from 'pino'
import { oncePerProcess } from '@/server/once-per-process'

/** An error goes in as `err`: it is logged with its stack and its causes. */
export const log = oncePerProcess('log', () =>
  pino({
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
  }),
)
