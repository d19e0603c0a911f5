/** The error of publishing. */
import type { SchemaIssue } from '@/protocol/topics/schema'

/** Nothing was published. */
export class PublishError extends Error {
  override name = 'PublishError'
  readonly code:
    | 'invalid-topic'
    | 'unknown-topic'
    | 'invalid-type'
    | 'reserved-type'
    | 'unknown-type'
    | 'invalid-data'
    | 'schema-failed'
    | 'event-too-large'
    | 'publish-in-render'
  /** What does not fit the schema of the event's type, for `invalid-data`. */
  readonly issues: readonly SchemaIssue[]

  /** Compares by name: Next bundles routes and pages separately, so an error may be an instance of another bundle's class. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'PublishError'
  }

  constructor(
    code: PublishError['code'],
    message: string,
    { issues = [], cause }: { issues?: readonly SchemaIssue[]; cause?: unknown } = {},
  ) {
    super(message, { cause })
    this.code = code
    this.issues = issues
  }
}
