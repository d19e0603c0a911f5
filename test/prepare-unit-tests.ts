/** Runs once before all unit tests. Workers inherit the environment variables it sets. */
import { findServer } from './programs/find-server'

export function setup(): void {
  findServer('redis')
}
