import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Status } from './stream-state'
import { readyStateOf, transitions } from './transitions'

/** Every way there is, as `state · event · next state · what is done`. */
function waysOfCode(): string[] {
  return Object.entries(transitions).flatMap(([status, ways]) =>
    Object.entries(ways).map(([signal, [to, ...actions]]) =>
      [status, signal, to, actions.join(', ')].join(' · '),
    ),
  )
}

/** The same from docs/client.md, where a row may stand for several states. */
function waysOfPage(): string[] {
  const page = readFileSync(join(__dirname, '..', 'docs', 'client.md'), 'utf8')
  const [, table = ''] = /^\| in .*\| what is done *\|\n\| -.*\n((?:\|.*\n)+)/m.exec(page) ?? []
  return table
    .trim()
    .split('\n')
    .flatMap((row) => {
      const [states = '', ...cells] = row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.replaceAll('`', '').trim())
      return states.split(', ').map((status) => [status, ...cells].join(' · '))
    })
}

describe('the transitions', () => {
  test('are those that docs/client.md draws', () => {
    expect(waysOfPage().toSorted()).toEqual(waysOfCode().toSorted())
  })

  test.each<Status>(['closed', 'failed'])('%s is left only by open and disable', (status) => {
    expect(Object.keys(transitions[status])).toEqual(['open', 'disable'])
  })

  test.each<Status>(['connecting', 'open', 'reconnecting', 'paused'])(
    'close and disable end a stream that is %s, and leave its connection',
    (status) => {
      expect(transitions[status].close).toEqual(['closed', 'leave'])
      expect(transitions[status].disable).toEqual(['idle', 'leave'])
    },
  )

  test('a stream that ends, by itself or not, leaves its connection', () => {
    const ends = Object.values(transitions)
      .flatMap((ways) => Object.values(ways))
      .filter(([to]) => readyStateOf(to) === 2)

    for (const [, ...actions] of ends) expect(actions).toContain('leave')
    expect(ends.length).toBeGreaterThan(0)
  })
})

describe('readyStateOf', () => {
  test.each<[Status, number]>([
    ['idle', 2],
    ['connecting', 0],
    ['open', 1],
    ['reconnecting', 0],
    ['paused', 0],
    ['closed', 2],
    ['failed', 2],
  ])('%s is %d', (status, readyState) => {
    expect(readyStateOf(status)).toBe(readyState)
  })
})
