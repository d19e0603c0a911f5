/** All feeds of a process, found by their topics and by who reads them. */
import { matchesTopic } from '@/protocol/topics/topic-pattern'
import type { Disconnect } from './rights/disconnects'
import type { PlacedFeed } from './placed-feed'

export interface FeedIndex {
  readonly size: number
  add(feed: PlacedFeed): void
  delete(feed: PlacedFeed): void
  all(): Iterable<PlacedFeed>
  /** A feed that subscribes to several of these topics appears several times. */
  ofTopics(topics: Iterable<string>): Iterable<PlacedFeed>
  /** The feeds that a disconnect means, whenever they were granted. May repeat a feed. Looks at no others. */
  meantBy(disconnect: Disconnect): Iterable<PlacedFeed>
}

type Groups = Map<string, Set<PlacedFeed>>

export function createFeedIndex(): FeedIndex {
  const feeds = new Set<PlacedFeed>()
  const byTopic: Groups = new Map()
  const byName: Groups = new Map()

  function* ofTopics(topics: Iterable<string>): Generator<PlacedFeed> {
    for (const topic of topics) yield* byTopic.get(topic) ?? []
  }

  return {
    get size() {
      return feeds.size
    },
    add(feed) {
      feeds.add(feed)
      for (const topic of feed.selection.topics) addTo(byTopic, topic, feed)
      for (const name of feed.right?.names ?? []) addTo(byName, name, feed)
    },
    delete(feed) {
      feeds.delete(feed)
      for (const topic of feed.selection.topics) deleteFrom(byTopic, topic, feed)
      for (const name of feed.right?.names ?? []) deleteFrom(byName, name, feed)
    },
    all: () => feeds,
    ofTopics,
    meantBy(disconnect) {
      if ('name' in disconnect) return byName.get(disconnect.name) ?? []
      const { topics } = disconnect
      return ofTopics([...byTopic.keys()].filter((topic) => matchesTopic(topics, topic)))
    },
  }
}

function addTo(groups: Groups, key: string, feed: PlacedFeed): void {
  const group = groups.get(key)
  if (group) group.add(feed)
  else groups.set(key, new Set([feed]))
}

function deleteFrom(groups: Groups, key: string, feed: PlacedFeed): void {
  const group = groups.get(key)
  group?.delete(feed)
  if (group?.size === 0) groups.delete(key)
}
