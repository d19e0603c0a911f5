/**
 * The one object that this library keeps on `globalThis`. A module variable would not be unique in the process: Next bundles routes,
 * pages and instrumentation separately, and in development evaluates a module again after each edit.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Engine } from './engine'
import type { KeepRules } from './keep'
import type { Metrics } from './observe/metrics'

/** The version in package/package.json. */
export const version = '0.2.0'

interface ProcessState {
  readonly version: string
  /** Runs a function outside of any request: in the context in which the library was first loaded. */
  readonly outside: <T>(work: () => T) => T
  engine?: Engine
  metrics?: Metrics
  keep?: KeepRules
}

// The same for all versions, so that a second version notices the first.
const key = Symbol.for('next-sse')

/** @throws {Error} another version of the library is loaded in this process: each version would have its own log and limits */
function findOrCreate(): ProcessState {
  const holder = globalThis as { [key]?: ProcessState }
  const state = (holder[key] ??= { version, outside: AsyncLocalStorage.snapshot() })
  if (state.version === version) return state
  throw new Error(
    `next-sse ${state.version} and ${version} are both loaded in this process. Install one of them: npm ls next-sse shows who needs which.`,
  )
}

export const processState = findOrCreate()
