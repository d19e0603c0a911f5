import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { metrics } from '@/server/observe/metrics'

const page = readFileSync(join(__dirname, 'operate.md'), 'utf8')

/** The names in the first column of a table, and what stands in the second. */
function rowsOf(name: RegExp): [string, string][] {
  const rows = page.matchAll(new RegExp(`^\\| \`(${name.source})\` +\\| (.*?) +\\|`, 'gm'))
  return [...rows].map(([, first = '', second = '']) => [first, second])
}

describe('docs/operate.md', () => {
  test('lists every variable of .env.example, with its default', () => {
    const example = readFileSync(join(__dirname, '..', '.env.example'), 'utf8')
    const variables = [...example.matchAll(/^#([A-Z_]+)=(.*)$/gm)].map(
      ([, name = '', value = '']) => [name, value === '' ? 'none' : `\`${value}\``],
    )

    expect(new Map(rowsOf(/[A-Z_]+/))).toEqual(new Map(variables as [string, string][]))
  })

  test('lists every metric of ours', () => {
    const own = metrics.registry.getMetricsAsArray().map(({ name }) => name)

    expect(new Set(rowsOf(/sse_[a-z_]+/).map(([name]) => name))).toEqual(
      new Set(own.filter((name) => name.startsWith('sse_'))),
    )
  })
})
