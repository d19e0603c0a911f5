/** The results as tables for the terminal and the docs, and as JSON. */
import { cpus, loadavg } from 'node:os'
import type { Figures, Part } from './parts/part'

/** One load of one part on one server. */
export interface Result {
  part: string
  load: string
  server: string
  /** The medians of all runs; empty if every run failed. */
  figures: Figures
  /** The figures of each run. */
  runs: Figures[]
  /** The error of each run that failed. */
  faults: string[]
}

export interface Circumstances {
  command: string
  date: string
  node: string
  machine: string
  /** The machine's load average over the minute before the beginning and the end. */
  loads: [number, number]
  runs: number
  /** Every server by its name. */
  servers: Record<string, string>
}

export function describeMachine(): string {
  return `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}`
}

/** The machine's load average over the last minute. */
export function currentLoad(): number {
  return Math.round((loadavg()[0] ?? 0) * 10) / 10
}

/** The median of each figure, over the runs that have it. */
export function medians(runs: Figures[]): Figures {
  const names = [...new Set(runs.flatMap((figures) => Object.keys(figures)))]
  return Object.fromEntries(
    names.map((name) => {
      const values = runs.map((figures) => figures[name] ?? NaN).filter((value) => !isNaN(value))
      values.sort((a, b) => a - b)
      const middle = values.length / 2
      const upper = values[Math.floor(middle)] ?? NaN
      const lower = values[Math.ceil(middle) - 1] ?? NaN
      return [name, (lower + upper) / 2]
    }),
  )
}

/** A part's results as a Markdown table. Compared figures have their ratio to ours in brackets. */
export function tableOf({ name, compared }: Part, all: Result[]): string {
  const results = all.filter(({ part }) => part === name)
  const titles = [...new Set(results.flatMap(({ figures }) => Object.keys(figures)))].filter(
    (title) => results.some(({ figures }) => !isNaN(figures[title] ?? NaN)),
  )
  const rows = results.map(({ load, server, figures, faults }) => {
    const ours = results.find((other) => other.load === load && other.server === 'ours')
    const cells = titles.map((title) => {
      const value = figures[title]
      const ratio =
        compared.includes(title) && value !== undefined && value / (ours?.figures[title] ?? NaN)
      const isTold = server !== 'ours' && ratio !== false && isFinite(ratio)
      return `${format(value)}${isTold ? ` (${format(ratio)}×)` : ''}`
    })
    return [load, faults.length === 0 ? server : `${server} †`, ...cells]
  })
  return align([['', '', ...titles], ...rows])
}

/** The reason for each † in the table; empty if there is none. */
export function faultsOf(part: Part, results: Result[]): string {
  return results
    .filter(({ part: name, faults }) => name === part.name && faults.length > 0)
    .map(({ server, load, faults, runs }) => {
      const count = faults.length + runs.length
      return `† ${server}, ${load}: ${faults.length} of ${count} runs failed: ${faults[0]}`
    })
    .join('\n')
}

/** Rounds to three significant digits. */
export function format(value: number | undefined): string {
  if (value === undefined || isNaN(value)) return '–'
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en')
  return String(Number(value.toPrecision(Math.abs(value) < 1 ? 2 : 3)))
}

function align([head = [], ...rows]: string[][]): string {
  const widths = head.map((title, at) =>
    Math.max(3, title.length, ...rows.map((row) => row[at]?.length ?? 0)),
  )
  const line = (cells: string[]): string =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
