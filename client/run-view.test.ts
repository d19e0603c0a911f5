import { describe, expect, test } from 'vitest'
import { initialRunView, reduceRun, type RunView } from './run-view'

/** Folds items: a type and its data, or a value. */
function fold(...items: ([type: string, data: unknown] | number)[]): RunView {
  return items.reduce((view: RunView, item) => {
    const [type, data] = typeof item === 'number' ? ['message', item] : item
    return reduceRun(view, { type, data: JSON.stringify(data), time: 1 })
  }, initialRunView())
}

function shown({ id, status, reason, list, count }: RunView): unknown {
  return { id, status, reason, values: list.slice(0, count).map(({ data }) => data) }
}

const begin = (run: string): [string, unknown] => ['run.begin', { run }]
const end = (run: string, status = 'done', reason?: string): [string, unknown] => [
  'run.end',
  { run, status, reason },
]
const state = (run: string | null, status: string): [string, unknown] => [
  'run.state',
  { run, status },
]

describe('reduceRun', () => {
  test.each<[string, Parameters<typeof fold>, unknown]>([
    ['nothing yet', [], { id: undefined, status: 'unknown', values: [] }],
    ['no run', [state(null, 'unknown'), 1], { id: undefined, status: 'unknown', values: [] }],
    ['a living run', [begin('a'), 1, 2], { id: 'a', status: 'running', values: [1, 2] }],
    ['a run that has ended', [begin('a'), 1, end('a')], { id: 'a', status: 'done', values: [1] }],
    [
      'what others publish around it',
      [7, begin('a'), 1, end('a'), 8],
      { id: 'a', status: 'done', values: [1] },
    ],
    [
      'why it failed',
      [begin('a'), end('a', 'failed', 'drain')],
      { id: 'a', status: 'failed', reason: 'drain', values: [] },
    ],
    [
      'a run that is asked to stop, until it has',
      [begin('a'), ['run.stop', { run: 'a' }], 1],
      { id: 'a', status: 'running', values: [1] },
    ],
    [
      'the next run instead of the last',
      [begin('a'), 1, end('a'), begin('b'), 2],
      { id: 'b', status: 'running', values: [2] },
    ],
    [
      'how a run stood before its events come again',
      [state('a', 'lost'), begin('a'), 1],
      { id: 'a', status: 'lost', values: [1] },
    ],
    [
      'a run whose beginning is missing',
      [state('a', 'running'), 3, 4],
      { id: 'a', status: 'running', values: [3, 4] },
    ],
    [
      'a run whose events are all gone',
      [state('a', 'done')],
      { id: 'a', status: 'done', values: [] },
    ],
    [
      'an end whose run was never seen',
      [end('a', 'stopped')],
      { id: 'a', status: 'stopped', values: [] },
    ],
    [
      'after a reconnect, how the run ended meanwhile',
      [begin('a'), 1, state('a', 'lost')],
      { id: 'a', status: 'lost', values: [1] },
    ],
    [
      'after a reconnect, the rest of the run, and then the next',
      [begin('a'), 1, state('b', 'failed'), 2, end('a'), begin('b'), 3],
      { id: 'b', status: 'failed', values: [3] },
    ],
    [
      'a run that is forgotten while it was away, as unknown',
      [begin('a'), 1, state(null, 'unknown')],
      { id: 'a', status: 'unknown', values: [1] },
    ],
    [
      'a value in parts, when its last part is there',
      [
        begin('a'),
        ['run.part', { type: 'big', part: 0, of: 2, text: '{"x":' }],
        ['run.part', { type: 'big', part: 1, of: 2, text: '1}' }],
        ['run.part', { type: 'big', part: 0, of: 2, text: '{"x":' }],
      ],
      { id: 'a', status: 'running', values: [{ x: 1 }] },
    ],
  ])('shows %s', (_, items, expected) => {
    expect(shown(fold(...items))).toEqual(expect.objectContaining(expected as object))
  })

  test('text that is no JSON is the value itself', () => {
    const begun = fold(begin('a'))

    const view = reduceRun(begun, { type: 'log', data: 'not JSON', time: 5 })

    expect(view.list.slice(0, view.count)).toEqual([
      { seq: 1, type: 'log', data: 'not JSON', time: 5 },
    ])
  })

  test('a view is not changed by later events', () => {
    const first = fold(begin('a'), 1)

    reduceRun(first, { type: 'message', data: '2', time: 1 })

    expect(shown(first)).toMatchObject({ values: [1] })
  })
})
