/** The limits of each topic. Every engine asks here, so that the topic of disconnects is kept long enough in all of them. */
import type { TopicLimits, Retention } from './event-log'

/**
 * The topic of disconnects: orders to end streams, stored among the events, so that every process applies them in the same order. Its
 * name is not a valid topic, so no request can read it or publish to it.
 */
export const disconnectTopic = '$disconnect'

/** A process that was cut off from the log for less than an hour still finds every disconnect, whatever the other limits are. */
const disconnectLimits: TopicLimits = { maxCount: Number.MAX_SAFE_INTEGER, maxAgeMs: 3_600_000 }

/** The limits of a topic: its own, or those of all others. */
export function limitsOf(retention: Retention, topic: string): TopicLimits {
  if (topic === disconnectTopic) return disconnectLimits
  return retention.ownLimits?.(topic) ?? retention
}
