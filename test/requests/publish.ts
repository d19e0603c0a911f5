/** Publishes over HTTP with the tests' token, and reads the answers. */
import { asPublisher } from './publisher'
import { sendRequest, type Answer } from './send-request'

/**
 * Publishes each text as an event of its own, one after the other.
 * @throws when one is refused
 */
export async function publish(
  url: string,
  topic: string,
  ...texts: readonly string[]
): Promise<void> {
  for (const text of texts) idsOf(await tryPublish(url, topic, text))
}

/** Sends a body to publish and returns the answer, which may be a refusal. */
export function tryPublish(
  url: string,
  topic: string,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return sendRequest(url, `/events/${topic}`, {
    method: 'POST',
    headers: { ...asPublisher, ...headers },
    body,
  })
}

/**
 * The ids of the published events.
 * @throws when the answer is a refusal
 */
export function idsOf({ status, body }: Answer): string[] {
  if (status !== 201) throw new Error(`Publishing was answered with ${status}:\n${body}`)
  return (JSON.parse(body) as { ids: string[] }).ids
}

/**
 * The code of a refusal.
 * @throws when the answer is not problem details
 */
export function codeOf({ status, headers, body }: Answer): unknown {
  const type = headers['content-type']
  if (type !== 'application/problem+json') {
    throw new Error(`Expected a refusal, but got ${status} of type ${type}:\n${body}`)
  }
  return (JSON.parse(body) as { code: unknown }).code
}
