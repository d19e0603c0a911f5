/**
 * The one object that this library keeps on `globalThis`. A module is no place for what must exist once in a process: Next bundles
 * routes, pages and instrumentation apart, and in development evaluates a module again after each edit.
 */
import type { Engine } from './engine'
import type { Metrics } from './observe/metrics'

/** The version in package/package.json. */
export const version = '0.2.0'

interface ProcessState {
  readonly version: string
  engine?: Engine
  metrics?: Metrics
}

// The same for all versions, so that a second one is noticed.
const key = Symbol.for('next-sse')

/** @throws another version of the library is loaded in this process: each would have a log and limits of its own */
function findOrCreate(): ProcessState {
  const holder = globalThis as { [key]?: ProcessState }
  const state = (holder[key] ??= { version })
  if (state.version === version) return state
  throw new Error(
    `next-sse ${state.version} and ${version} are both loaded in this process. Install one of them: npm ls next-sse shows who needs which.`,
  )
}

export const processState = findOrCreate()
