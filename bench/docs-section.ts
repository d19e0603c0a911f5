/** Replaces a part's section in docs/benchmarks.md, and leaves the rest of the page as it is. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Part } from './parts/part'
import { altOf, drawChart } from './chart'
import { faultsOf, tableOf, type Circumstances, type Result } from './report'

const docs = join(__dirname, '..', 'docs')
const file = join(docs, 'benchmarks.md')

/** @throws the page has no place for this part */
export function writeSection(part: Part, results: Result[], of: Circumstances): void {
  const begin = `<!-- ${part.name}: npm run bench -- --docs -->`
  const end = `<!-- /${part.name} -->`
  const page = readFileSync(file, 'utf8')
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from === -1 || to < from) throw new Error(`docs/benchmarks.md has no ${begin} … ${end}`)
  const runs = of.runs === 1 ? 'one run' : `medians of ${of.runs} runs`
  const section = [
    begin,
    `## ${part.title}`,
    part.explained,
    `\`${of.command}\`, ${of.date}: ${runs}; Node ${of.node}, ${of.machine}; load of the machine ${of.loads.join(' before, ')} after.`,
    pictureOf(part, results, of),
    tableOf(part, results),
    faultsOf(part, results),
  ]
  writeFileSync(
    file,
    page.slice(0, from) + section.filter(Boolean).join('\n\n') + '\n\n' + page.slice(to),
  )
}

/** Writes the part's pictures; returns the Markdown that shows them, empty when there are none. */
function pictureOf(part: Part, all: readonly Result[], of: Circumstances): string {
  const results = all.filter(({ part: name }) => name === part.name)
  if (!part.chart) return ''
  for (const theme of ['light', 'dark'] as const) {
    const svg = drawChart(part.chart, results, theme, of)
    if (svg === undefined) return ''
    writeFileSync(join(docs, 'pictures', `bench-${part.name}-${theme}.svg`), svg)
  }
  return [
    '<picture>',
    `  <source media="(prefers-color-scheme: dark)" srcset="pictures/bench-${part.name}-dark.svg">`,
    `  <img alt="${altOf(part.chart, results).replaceAll('"', '&quot;')}" src="pictures/bench-${part.name}-light.svg" width="480">`,
    '</picture>',
  ].join('\n')
}
