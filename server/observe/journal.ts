/** The log of this process: writes lines of JSON to standard output. Never log an event's data, a token or a cookie. */
import pino from 'pino'

/** Pass an error as `err`, so that its stack and its causes are written. */
export const journal = pino({
  base: { pid: process.pid },
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (level) => ({ level }) },
})
