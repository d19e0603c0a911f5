/** Runs once before all unit tests. Workers inherit the environment variables it sets. The returned function runs after them. */
import { findServer } from './programs/find-server'
import { preparePacking } from './programs/pack-once'

export default function prepare(): () => void {
  findServer('redis')
  return preparePacking()
}
