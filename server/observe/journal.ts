/** This process's journal: a line of JSON on standard output for each noteworthy thing. Never an event's data, a token or a cookie. */
import pino from 'pino'

/** Pass an error as `err`: it is written with its stack and its causes. */
export const journal = pino({
  base: { pid: process.pid },
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (level) => ({ level }) },
})
