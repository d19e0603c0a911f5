/** Checks events against the schemas of the defined topics, before they are appended. */
import { keyOf, schemaOf, type Topics } from '@/protocol/topics/define-topics'
import type { NewEvent } from '@/protocol/event'
import { AsyncSchemaError, parseText, SchemaError } from '@/protocol/topics/schema'
import { journal } from '@/server/observe/journal'
import { forEachInTurns } from '@/server/hub/turns/for-each-in-turns'
import { PublishError } from './publish-error'

/** The journal names a type when the check of one event takes longer than this. */
const slowMs = 100
const slowTypes = new Set<string>()

/**
 * Checks that the topic is defined, that it has every type, and that the text of every event fits its schema. Readers parse this text,
 * so what the schema makes of it is ignored here. Many events take several turns of the event loop.
 * @throws {PublishError} `unknown-topic`, `unknown-type`, `invalid-data` or `schema-failed`
 * @throws {TypeError} a schema is asynchronous
 */
export async function checkEvents(
  topics: Topics,
  topic: string,
  events: readonly NewEvent[],
): Promise<void> {
  const key = keyOf(topics, topic)
  if (key === undefined) {
    throw new PublishError('unknown-topic', `The topic ${topic} is not defined.`)
  }
  let number = 0
  let name = ''
  try {
    await forEachInTurns(events, ({ type, data }) => {
      number++
      name = events.length === 1 ? `${type} of ${key}` : `${type} of ${key}, event ${number}`
      const schema = schemaOf(topics, key, type)
      if (!schema) {
        throw new PublishError(
          'unknown-type',
          `The topic ${key} has no events of the type ${type}.`,
        )
      }
      const startedAt = performance.now()
      parseText(schema, data)
      tellIfSlow(`${type} of ${key}`, data, performance.now() - startedAt)
    })
  } catch (error) {
    throw error instanceof PublishError ? error : await asPublishError(error, name)
  }
}

async function asPublishError(error: unknown, name: string): Promise<Error> {
  if (error instanceof SchemaError) {
    const fault = error.issues.length > 0 ? 'does not fit its schema' : 'is not JSON'
    return new PublishError('invalid-data', `The data ${fault} (${name}).`, error)
  }
  const cause = error instanceof AsyncSchemaError ? await rejectionOf(error.answer) : { error }
  return cause
    ? new PublishError('schema-failed', `The schema of ${name} failed.`, { cause: cause.error })
    : new TypeError(`The schema of ${name} returns a Promise. Use one that does not.`)
}

/** The error that the promise rejects with, if it does so in this turn. */
async function rejectionOf(promise: PromiseLike<unknown>): Promise<{ error: unknown } | undefined> {
  return await Promise.race([
    promise.then(
      () => undefined,
      (error: unknown) => ({ error }),
    ),
    new Promise<undefined>((resolve) => setImmediate(resolve, undefined)),
  ])
}

/** Once for each type, because every event of the type may be slow. */
function tellIfSlow(name: string, data: string, tookMs: number): void {
  if (tookMs <= slowMs || slowTypes.has(name)) return
  slowTypes.add(name)
  journal.warn(
    { tookMs: Math.round(tookMs), length: data.length },
    `The schema of ${name} is slow. While it checks an event, this process does nothing else.`,
  )
}
