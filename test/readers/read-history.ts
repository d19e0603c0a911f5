/** Reads the events that a topic has kept. */
import { asPublisher } from '../requests/publisher'
import { createStreamReader } from './stream-reader'

export interface HistoryEvent {
  id: string
  type: string
  data: string
}

/** All kept events of the topic, in order. Publishes to the topic `marker`, to know where they end. */
export async function readHistory(url: string, topic: string): Promise<HistoryEvent[]> {
  const marked = await fetch(`${url}/events/marker`, {
    method: 'POST',
    headers: asPublisher,
    body: 'here',
  })
  const [marker] = ((await marked.json()) as { ids: string[] }).ids
  const reader = createStreamReader()
  const ended = reader.connect(`${url}/events/${topic},marker?since=all`)
  await reader.until(({ id }) => id === marker)
  reader.disconnect()
  await ended

  return reader.events.flatMap(({ id = '', type, data: envelope }) => {
    if (type !== 'message' || id === '') return []
    const event = JSON.parse(envelope) as { topic: string; type: string; data: string }
    return event.topic === topic ? [{ id, type: event.type, data: event.data }] : []
  })
}
