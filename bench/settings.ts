/** The options of bench/run.ts. */
import { parseArgs } from 'node:util'

export interface Settings {
  /** The names of the parts to run. Empty: all of them. */
  parts: string[]
  /** The names of the servers to measure. Empty: those of the default run. */
  servers: string[]
  /** Prefixes of the names of the loads to run. Empty: all of them. */
  loads: string[]
  all: boolean
  /** The folder of another checkout of this project, with its packages installed, which is measured too. */
  against: string | undefined
  runs: number
  /** How long a steady load is measured, after a warm-up of half of that and 5 s at most. */
  seconds: number
  /** Loads with more subscribers or streams than this are skipped. */
  maxStreams: number
  build: boolean
  docs: boolean
}

export const usage = `npm run bench -- [options]

  --part <name>        only this part; may be repeated
  --server <name>      only this server; may be repeated
  --load <text>        only loads whose name begins so; may be repeated
  --all                every server that there is, not only the common ones
  --against <folder>   another checkout of this project too, installed: an older commit, say
  --runs <number>      how often everything is measured; the medians are told (3)
  --seconds <number>   how long a steady load is measured (10)
  --max-streams <n>    leave out what needs more open streams than this (10000)
  --no-build           take the builds that there are
  --docs               write the figures into docs/benchmarks.md too
`

/** @throws an option is unknown, or is not a whole number although it must be one */
export function parseSettings(args: string[]): Settings {
  const { values } = parseArgs({
    args,
    allowNegative: true,
    options: {
      part: { type: 'string', multiple: true, default: [] },
      server: { type: 'string', multiple: true, default: [] },
      load: { type: 'string', multiple: true, default: [] },
      all: { type: 'boolean', default: false },
      against: { type: 'string' },
      runs: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '10' },
      'max-streams': { type: 'string', default: '10000' },
      build: { type: 'boolean', default: true },
      docs: { type: 'boolean', default: false },
    },
  })
  return {
    parts: values.part,
    servers: values.server,
    loads: values.load,
    all: values.all,
    against: values.against,
    runs: parseCount('runs', values.runs),
    seconds: parseCount('seconds', values.seconds),
    maxStreams: parseCount('max-streams', values['max-streams']),
    build: values.build,
    docs: values.docs,
  }
}

function parseCount(name: string, text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new Error(`--${name} is not a whole number: ${text}`)
  return Number(text)
}
