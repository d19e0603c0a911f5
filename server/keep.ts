/** The option `keep` of `createSse`: how long the events of certain topics are kept. */
import { parseDuration } from '@/protocol/duration'
import { isTopicPattern, prefixesOf } from '@/protocol/topics/topic-pattern'
import type { TopicLimits } from './log/event-log'
import { processState } from './process'

/** How long the events of a topic are kept. What is left out comes from the environment. */
export interface KeepRule {
  /** For how long: a duration such as `10m`, `24h` or `30d`. Default: `EVENTS_MAX_AGE`. */
  maxAge?: string | undefined
  /** How many events of each topic, at least 2. Up to 500 more may stay for a while. Default: `EVENTS_MAX_COUNT`. */
  maxCount?: number | undefined
  /**
   * Only the newest event of each topic, for values of which nobody needs the old ones: a price, a position. A reader who was away gets the
   * newest, and is not told of a loss. Excludes `maxCount`. Default false.
   */
  latest?: boolean | undefined
}

/** Rules by topic, `prefix.*` or `*`. The most specific pattern that matches a topic counts, and no other. */
export type Keep = Readonly<Record<string, KeepRule>>

/** The rules of this process. */
export interface KeepRules {
  /** Equal for equal rules. */
  readonly text: string
  /** The limits of a topic that a rule names, else undefined. `others` are those of the environment. */
  limitsOf: (topic: string, others: TopicLimits) => TopicLimits | undefined
  /** All that is kept, in words. */
  describe: (others: TopicLimits) => string
}

type Rule = Partial<TopicLimits>

/**
 * Checks the rules, and has the log of this process apply them. There is one log in a process, but Next evaluates `sse.ts` several
 * times: all must say the same. In development, the newest counts.
 * @throws {Error} a rule can't be understood, or differs from those of another server object
 */
export function adoptKeep(keep: Keep): KeepRules {
  const rules = readKeep(keep)
  // Written out, because Next replaces it in a build.
  const isBuilt = process.env.NODE_ENV === 'production'
  if (isBuilt && processState.keep && processState.keep.text !== rules.text) {
    throw new Error(
      'createSse: another server object of this process has another `keep`. There is one log: give all of them the same.',
    )
  }
  processState.keep = rules
  return rules
}

/** True when the topic keeps its newest event alone. `others` are the limits of the environment. */
export function keepsLatest(topic: string, others: TopicLimits): boolean {
  return processState.keep?.limitsOf(topic, others)?.latest === true
}

/** @throws {Error} a rule can't be understood */
export function readKeep(keep: Keep): KeepRules {
  const rules = new Map<string, Rule>()
  for (const [pattern, rule] of Object.entries(keep)) {
    if (!isTopicPattern(pattern)) {
      throw new Error(`createSse: keep: ${JSON.stringify(pattern)} must be a topic, prefix.* or *.`)
    }
    rules.set(pattern, readRule(pattern, rule))
  }
  return {
    text: JSON.stringify([...rules].toSorted(([one], [other]) => (one < other ? -1 : 1))),
    limitsOf(topic, others) {
      const patterns = [topic, ...prefixesOf(topic).toReversed(), '*']
      const pattern = patterns.find((each) => rules.has(each))
      return pattern === undefined ? undefined : withRule(others, rules.get(pattern))
    },
    describe(others) {
      const words = Array.from(
        rules,
        ([pattern, rule]) => `${pattern} keeps ${wordsFor(withRule(others, rule))}`,
      )
      return `createSse has \`keep\`: ${[...words, `other topics keep ${wordsFor(others)}`].join('; ')}.`
    },
  }
}

const fields = new Set(['maxAge', 'maxCount', 'latest'])

function withRule({ maxCount, maxAgeMs }: TopicLimits, rule: Rule | undefined): TopicLimits {
  return { maxCount, maxAgeMs, ...rule }
}

function readRule(pattern: string, rule: KeepRule): Rule {
  const fail = (what: string): Error => new Error(`createSse: keep: ${pattern}: ${what}`)
  if (typeof rule !== 'object' || rule === null) throw fail('the rule must be an object.')
  const unknown = Object.keys(rule).find((field) => !fields.has(field))
  if (unknown !== undefined) throw fail(`${unknown} is not known. Use maxAge, maxCount or latest.`)
  const { maxAge, maxCount, latest } = rule
  const maxAgeMs = maxAge === undefined ? undefined : parseDuration(maxAge)
  if (maxAge !== undefined && !maxAgeMs) {
    throw fail('maxAge must be a duration such as 10m, 24h or 30d.')
  }
  if (latest !== undefined && typeof latest !== 'boolean') {
    throw fail('latest must be true or false.')
  }
  if (latest && maxCount !== undefined) throw fail('latest and maxCount exclude each other.')
  if (maxCount === 1) {
    throw fail('maxCount: 1 would tell readers of losses. For the newest event, use latest: true.')
  }
  if (maxCount !== undefined && !(Number.isSafeInteger(maxCount) && maxCount > 1)) {
    throw fail('maxCount must be a whole number of at least 2.')
  }
  return {
    ...(maxCount !== undefined && { maxCount }),
    ...(maxAgeMs !== undefined && { maxAgeMs }),
    ...(latest && { latest }),
  }
}

function wordsFor({ maxCount, maxAgeMs, latest }: TopicLimits): string {
  const count = latest ? 'the newest event' : `${maxCount.toLocaleString('en')} events`
  return `${count} for ${durationText(maxAgeMs)}`
}

function durationText(durationMs: number): string {
  // A day is `24h`, as in the environment.
  const units = [
    ...(durationMs > 86_400_000 ? [['d', 86_400_000] as const] : []),
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
  ] as const
  const [unit, unitMs] = units.find(([, ms]) => durationMs % ms === 0) ?? ['ms', 1]
  return `${durationMs / unitMs}${unit}`
}
