import { describe, expect, test } from 'vitest'
import { altOf, drawChart, type ChartOptions } from './chart'
import type { Circumstances, Result } from './report'

const of: Circumstances = {
  command: 'npm run bench',
  date: '2026-11-26',
  node: '20',
  machine: '2 × CPU',
  loads: [0, 0],
  runs: 3,
  servers: {},
}
const chart: ChartOptions = { title: 'Memory <idle>', figure: 'KiB', isLowerBetter: true }

function result(load: string, server: string, value: number | undefined): Result {
  const figures = value === undefined ? {} : { KiB: value }
  return { part: 'idle', load, server, figures, runs: [], faults: [] }
}

const results = [
  result('1,000 streams', 'ours', 20),
  result('1,000 streams', 'bare-node', 10),
  result('5,000 streams', 'ours', 18),
  result('5,000 streams', 'bare-node', undefined),
]

describe('a chart', () => {
  test('has a bar for each figure there is, the best first, as long as the figure is big', () => {
    const svg = drawChart(chart, results, 'light', of) ?? ''

    const widths = [...svg.matchAll(/<rect[^>]* width="(\d+)"/g)].map(([, width]) => Number(width))
    expect(widths).toHaveLength(3)
    expect(widths[0]).toBe((widths[1] ?? 0) / 2)
    expect(widths[2]).toBe(Math.round((widths[1] ?? 0) * 0.9))
    expect(svg).toContain('<title>Memory &lt;idle&gt;.')
  })

  test('says when, where and by which command, in as many lines as that takes', () => {
    const command = 'npm run bench -- --all --part publish --part connecting --part idle --runs 3'
    const svg = drawChart(chart, results, 'light', { ...of, command }) ?? ''

    expect(svg).toContain('>2026-11-26, 2 × CPU, medians of 3 runs<')
    expect(svg).toContain('>npm run bench -- --all --part publish --part connecting --part idle<')
    expect(svg).toContain('>--runs 3<')
  })

  test('says its figures in words', () => {
    expect(altOf(chart, results)).toBe(
      'Memory <idle>. KiB. 1,000 streams: bare-node 10, ours 20; 5,000 streams: ours 18.',
    )
  })

  test('shows the loads asked for alone, and is none when nothing of it was measured', () => {
    expect(altOf({ ...chart, loads: ['5,000'] }, results)).not.toContain('1,000')
    expect(drawChart({ ...chart, figure: 'ms' }, results, 'dark', of)).toBeUndefined()
  })
})
