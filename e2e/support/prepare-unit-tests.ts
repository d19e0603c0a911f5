/** Runs once, before all unit tests: what it finds, their workers inherit. */
import { findRedis } from './find-redis'

export function setup(): void {
  findRedis()
}
