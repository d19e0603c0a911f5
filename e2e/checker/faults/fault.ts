/** What a fault of the random list can do to a run. */
import type { Cluster } from '../cluster'
import type { Publishers } from '../publishers'
import type { Random } from '../random'
import type { Life } from '../record'
import type { Storage } from '../storage'

export interface FaultContext {
  random: Random
  cluster: Cluster
  storage: Storage
  publishers: Publishers
  lives: Life[]
  clockJumps: { from: number; to: number }[]
  /** Sets the servers' clocks so far ahead. */
  setClock: (offsetMs: number) => void
  /** Reads the whole log up to an offset, as a reader that the judge hears, too. */
  audit: (until: number) => Promise<void>
}

/** `Context`: what it needs of a run. */
export interface Fault<Context = FaultContext> {
  name: string
  /** How often it comes, beside others. */
  weight: number
  isPossible?: (storage: Storage) => boolean
  run: (context: Context) => Promise<void>
}
