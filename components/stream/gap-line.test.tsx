import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, test } from 'vitest'
import type { Gap } from 'next-sse/react'
import { GapLine } from './gap-line'

const gap: Gap = { reason: 'trimmed', from: 'k3f9.7', oldest: 'k3f9.12', topics: ['orders'] }

function textOf(topics: readonly string[], change: Partial<Gap> = {}): string {
  const line = renderToStaticMarkup(<GapLine gap={{ ...gap, ...change }} topics={topics} />)
  return line.replaceAll(/<[^>]+>/g, '')
}

describe('the line of a gap', () => {
  test('says what is missing, without a topic in a stream of one topic', () => {
    expect(textOf(['orders'])).toBe('Gap Events after 7 and before 12 are no longer kept.')
  })

  test('names the topics that lack events in a stream of several', () => {
    const all = ['orders', 'stock', 'news']

    expect(textOf(all)).toBe('Gap in orders Events after 7 and before 12 are no longer kept.')
    expect(textOf(all, { topics: ['orders', 'stock'] })).toMatch(/^Gap in orders, stock Events/)
    expect(textOf(all, { reason: 'epoch' })).toMatch(/^Gap in orders The log was reset/)
  })

  test('names no topics when the server named none', () => {
    expect(textOf(['orders', 'stock'], { topics: [] })).toMatch(/^Gap Events/)
  })
})
