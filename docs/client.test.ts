import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const e2e = join(__dirname, '..', 'e2e')

/** The names of the tests in a real browser, as patterns: what is filled in may be anything. */
function testNames(): RegExp[] {
  const sources = readdirSync(e2e, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.e2e.ts'))
    .map((name) => readFileSync(join(e2e, name), 'utf8'))
  return sources
    .flatMap((source) => [...source.matchAll(/\btest\(\s*(['`])(.*?)\1,\s*(?:async|\{)/g)])
    .map(([, , name = '']) => name.split(/\$\{\w+\}/).map((text) => escape(text)))
    .map((parts) => new RegExp(`^${parts.join('.+')}$`))
}

function escape(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)
}

/** What the page claims is tested: the last column of its tables, and the sentence between them. */
function namedTests(): string[] {
  const page = readFileSync(join(__dirname, 'client.md'), 'utf8')
  const columns = [...page.matchAll(/^\|.*\| *([^|]+?) *\|$/gm)].map(([, cell = '']) => cell)
  const [, sentence = ''] = /proven on the pages themselves: (.*)\.$/m.exec(page) ?? []
  const start = columns.indexOf('the test')
  return [
    ...columns.slice(start).filter((cell) => cell !== 'the test' && !/^-+$/.test(cell)),
    ...sentence.split(' · '),
  ]
}

describe('docs/client.md', () => {
  test('every test that it names exists', () => {
    const names = testNames()

    const missing = namedTests().filter((named) => !names.some((name) => name.test(named)))

    expect(missing).toEqual([])
    expect(namedTests().length).toBeGreaterThan(35)
  })
})
