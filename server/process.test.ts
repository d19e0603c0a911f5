import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { version } from './process'

afterEach(() => {
  Reflect.deleteProperty(globalThis, Symbol.for('next-sse'))
  vi.resetModules()
})

describe('the state of the process', () => {
  test('is shared by all bundles of a version, and is the only property added to globalThis', async () => {
    const before = new Set(Reflect.ownKeys(globalThis))
    const one = await import('./process')
    vi.resetModules()
    const other = await import('./process')

    expect(other).not.toBe(one)
    expect(other.processState).toBe(one.processState)
    const added = Reflect.ownKeys(globalThis).filter((name) => !before.has(name))
    expect([[], [Symbol.for('next-sse')]]).toContainEqual(added)
  })

  test('of another version is refused, and the error names both versions', async () => {
    vi.resetModules()
    Object.assign(globalThis, { [Symbol.for('next-sse')]: { version: '0.9.9' } })

    await expect(import('./process')).rejects.toThrow(
      `next-sse 0.9.9 and ${version} are both loaded in this process`,
    )
  })

  test('has the version of the package', () => {
    const manifest = readFileSync(join(__dirname, '..', 'package', 'package.json'), 'utf8')

    expect(JSON.parse(manifest)).toMatchObject({ version })
  })
})
