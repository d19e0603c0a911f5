/** Topics that get more than the log keeps of them, so that readers that are behind lose events. */
import { bulkyTopics, openTopics, secretTopics } from '../setting'
import type { Fault } from './fault'

export const loadFaults: Fault[] = [
  {
    name: 'flood of a topic',
    weight: 2,
    async run({ random, publishers }) {
      const topic = random.pick([...openTopics, ...secretTopics])
      await publishers.flood(topic, random.between(600, 1_200), random.between(1, 100))
    },
  },
  {
    name: 'flood of several topics in turn',
    weight: 3,
    async run({ random, publishers }) {
      const topics = random.sample([...openTopics, ...secretTopics], random.between(2, 4))
      for (let round = 0; round < 10; round++) {
        for (const topic of topics) await publishers.flood(topic, 100, random.between(1, 100))
      }
    },
  },
  {
    name: 'flood of bulky topics',
    weight: 1,
    async run({ random, publishers }) {
      for (let round = 0; round < 8; round++) {
        for (const topic of bulkyTopics)
          await publishers.flood(topic, 100, random.between(4_000, 12_000))
      }
    },
  },
]
