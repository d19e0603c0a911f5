/** Why a run was not begun, and the checks of what is asked for. */
import { isRunId } from '@/protocol/run'
import { isTopic } from '@/protocol/topics/topic'
import { PublishError } from '@/server/hub/publish-error'

/** The run was not begun. */
export class RunError extends Error {
  override name = 'RunError'
  readonly code: 'run-living' | 'invalid-id' | 'latest-topic'

  /** Compares by name: Next bundles routes and pages separately, so an error may be an instance of another bundle's class. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'RunError'
  }

  constructor(code: RunError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** @throws {RunError} `invalid-id` */
export function checkId(id: string): void {
  if (isRunId(id)) return
  throw new RunError(
    'invalid-id',
    `${JSON.stringify(id)} is not the id of a run: it must match [A-Za-z0-9][A-Za-z0-9_.-]{0,63}.`,
  )
}

/** @throws {PublishError} `invalid-topic` */
export function checkTopic(topic: string): void {
  if (isTopic(topic)) return
  throw new PublishError('invalid-topic', `${JSON.stringify(topic)} is not a topic.`)
}
