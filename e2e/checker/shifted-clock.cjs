/**
 * Loaded into each server before anything else: its clock is as many milliseconds off as the file CHECKER_CLOCK says.
 * Timers are not affected, only what time it is.
 */
const { readFileSync } = require('node:fs')

const RealDate = Date
const file = process.env.CHECKER_CLOCK
let offsetMs = 0

function readOffset() {
  try {
    offsetMs = Number(readFileSync(file, 'utf8')) || 0
  } catch {
    offsetMs = 0
  }
}

class ShiftedDate extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(RealDate.now() + offsetMs)
    else super(...args)
  }

  static now() {
    return RealDate.now() + offsetMs
  }
}

if (file) {
  readOffset()
  setInterval(readOffset, 100).unref()
  globalThis.Date = ShiftedDate
}
