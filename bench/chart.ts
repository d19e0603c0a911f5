/** Draws a part's figures as bars: one SVG for light pages and one for dark pages, without fonts or scripts. */
import { format, type Circumstances, type Result } from './report'

export interface ChartOptions {
  title: string
  /** The name of the figure that the bars show. */
  figure: string
  /** Prefixes of the names of the loads to show. Default: all loads. */
  loads?: readonly string[]
  isLowerBetter: boolean
}

const themes = {
  light: { ink: '#141917', quiet: '#626c67', line: '#dee3e0', ours: '#0a7440', other: '#a3ada8' },
  dark: { ink: '#e8edea', quiet: '#8a9590', line: '#262d2a', ours: '#4ade94', other: '#55605a' },
} as const

export type Theme = keyof typeof themes

/** Narrow, so that the words can be read where a phone makes it smaller still. */
const size = { width: 480, label: 132, value: 84, bar: 18, gap: 6, group: 30, top: 64, line: 18 }
/** How many characters of a line fit. */
const lineLength = 70

interface Group {
  load: string
  bars: { server: string; value: number }[]
}

/** Undefined if none of these figures was measured. */
export function drawChart(
  options: ChartOptions,
  results: readonly Result[],
  theme: Theme,
  of: Circumstances,
): string | undefined {
  const groups = groupsOf(options, results)
  if (groups.length === 0) return undefined
  const colors = themes[theme]
  const most = Math.max(...groups.flatMap(({ bars }) => bars.map(({ value }) => value)))
  const room = size.width - size.label - size.value
  const parts: string[] = []
  const text = (x: number, y: number, fill: string, words: string, more = ''): void => {
    parts.push(`<text x="${x}" y="${y}" fill="${fill}"${more}>${escape(words)}</text>`)
  }
  const better = options.isLowerBetter ? 'less is better' : 'more is better'
  text(0, 20, colors.ink, options.title, ' font-size="16" font-weight="600"')
  text(0, 40, colors.quiet, `${options.figure}; ${better}`)
  let y = size.top
  for (const { load, bars } of groups) {
    parts.push(`<path d="M0 ${y - 6}H${size.width}" stroke="${colors.line}"/>`)
    text(0, y + 13, colors.ink, load, ' font-weight="600"')
    y += size.group - 4
    for (const { server, value } of bars) {
      const width = Math.max(1, Math.round((value / most) * room))
      const isOurs = server === 'ours'
      const fill = isOurs ? colors.ours : colors.other
      text(size.label - 8, y + 13, isOurs ? colors.ink : colors.quiet, server, ' text-anchor="end"')
      parts.push(
        `<rect x="${size.label}" y="${y}" width="${width}" height="${size.bar}" rx="2" fill="${fill}"/>`,
      )
      text(size.label + width + 8, y + 13, isOurs ? colors.ink : colors.quiet, format(value))
      y += size.bar + size.gap
    }
    y += 8
  }
  for (const line of [...linesOf(circumstancesOf(of)), ...linesOf(of.command)]) {
    y += size.line
    text(0, y, colors.quiet, line)
  }
  const height = y + size.line
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${height}" width="${size.width}" height="${height}" font-family="system-ui, sans-serif" font-size="13" role="img">\n<title>${escape(altOf(options, results))}</title>\n${parts.join('\n')}\n</svg>\n`
}

/** The figures in words: the text alternative of the picture. */
export function altOf(options: ChartOptions, results: readonly Result[]): string {
  const groups = groupsOf(options, results).map(
    ({ load, bars }) =>
      `${load}: ${bars.map(({ server, value }) => `${server} ${format(value)}`).join(', ')}`,
  )
  return `${options.title}. ${options.figure}. ${groups.join('; ')}.`
}

function groupsOf(
  { figure, loads, isLowerBetter }: ChartOptions,
  results: readonly Result[],
): Group[] {
  const names = [...new Set(results.map(({ load }) => load))].filter(
    (name) => loads?.some((start) => name.startsWith(start)) ?? true,
  )
  return names.flatMap((load) => {
    const bars = results
      .filter((result) => result.load === load)
      .map(({ server, figures }) => ({ server, value: figures[figure] ?? NaN }))
      .filter(({ value }) => isFinite(value))
      .toSorted((one, other) => (isLowerBetter ? one.value - other.value : other.value - one.value))
    return bars.length > 0 ? [{ load, bars }] : []
  })
}

function circumstancesOf({ date, machine, runs }: Circumstances): string {
  return `${date}, ${machine}, ${runs === 1 ? 'one run' : `medians of ${runs} runs`}`
}

function linesOf(text: string): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const longer = lines.length > 0 ? `${lines.at(-1)} ${word}` : word
    if (lines.length > 0 && longer.length <= lineLength) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
