/** Runs once, before all unit tests: what it finds, their workers inherit. */
import { findServer } from './programs/find-server'

export function setup(): void {
  findServer('redis')
}
