import { expect, test, vi } from 'vitest'
import { createSessionKeyWatch } from './session-key-watch'

function watched(...requests: [client: string, key: string][]): number[] {
  const warn = vi.fn<() => void>()
  const watch = createSessionKeyWatch(warn)
  return requests.map(([client, key]) => {
    watch(client, key)
    return warn.mock.calls.length
  })
}

test('warns once, at the third request of a client whose key is new each time', () => {
  expect(watched(['a', '1'], ['a', '2'], ['a', '3'], ['a', '4'])).toEqual([0, 0, 1, 1])
})

test('says nothing of keys that come again, even by turns', () => {
  const turns = Array.from({ length: 20 }, (_, n): [string, string] => ['a', String(n % 2)])

  expect(watched(...turns).at(-1)).toBe(0)
})

test('says nothing of many clients with one key each', () => {
  const clients = Array.from({ length: 3_000 }, (_, n): [string, string] => [`${n}`, `${n}`])

  expect(watched(...clients).at(-1)).toBe(0)
})
