import { expect, test, vi } from 'vitest'
import { rememberPaths } from './remember-paths'

test('asks once for each path, and again for those that came long ago', () => {
  const judge = vi.fn<(path: string) => string | undefined>((path) =>
    path === '/none' ? undefined : `of ${path}`,
  )
  const ask = rememberPaths(judge)

  expect([ask('/a'), ask('/a'), ask('/none'), ask('/none')]).toEqual([
    'of /a',
    'of /a',
    undefined,
    undefined,
  ])
  expect(judge).toHaveBeenCalledTimes(2)
  for (let n = 0; n < 1_000; n++) ask(`/${n}`)
  judge.mockClear()

  expect([ask('/999'), ask('/a')]).toEqual(['of /999', 'of /a'])
  expect(judge.mock.calls).toEqual([['/a']])
})

test('does not keep long paths', () => {
  const judge = vi.fn<(path: string) => number>((path) => path.length)
  const ask = rememberPaths(judge)
  const long = `/${'x'.repeat(1_000)}`

  expect([ask(long), ask(long)]).toEqual([1_001, 1_001])
  expect(judge).toHaveBeenCalledTimes(2)
})
