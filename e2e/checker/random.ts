/** Chance that can be repeated: the same seed gives the same numbers. */

export interface Random {
  /** From 0 up to, not including, 1. */
  (): number
  /** A whole number from `least` to `most`, both included. */
  between: (least: number, most: number) => number
  pick: <T>(list: readonly T[]) => T
  /** `count` different items of the list, or all of it, in random order. */
  sample: <T>(list: readonly T[], count: number) => T[]
  isLucky: (chance: number) => boolean
  /** A generator of its own for one part of the run, so that parts do not shift each other's numbers. */
  fork: (name: string) => Random
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0

  // mulberry32: small, and good enough for picking faults.
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  function between(least: number, most: number): number {
    return least + Math.floor(next() * (most - least + 1))
  }

  function pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new Error('There is nothing to pick from.')
    return list[between(0, list.length - 1)] as T
  }

  return Object.assign(next, {
    between,
    pick,
    sample<T>(list: readonly T[], count: number): T[] {
      const left = [...list]
      const taken: T[] = []
      while (taken.length < count && left.length > 0) {
        taken.push(...left.splice(between(0, left.length - 1), 1))
      }
      return taken
    },
    isLucky: (chance: number) => next() < chance,
    fork: (name: string) => createRandom(hash(`${seed}/${name}`)),
  })
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  }
  return value >>> 0
}
