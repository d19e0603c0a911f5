/**
 * A model that needs no network: each word follows one that it follows somewhere in the text below. The AI SDK calls it as it calls any
 * other model.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { MockLanguageModelV4 } from 'ai/test'

const text = `
A stream is a cursor into a log. A reader that loses its connection comes back with the last cursor, and the log gives the events that
came in the meantime. Nothing is queued for a slow reader. What it has not taken yet stays in the log. The server keeps one number for
each reader, and one chunk at most. An answer is a run, and a run is a span of a topic. The page that asked may leave, and the answer
goes on. Another tab may join, and the answer begins at its first word. The reader that stops a run stops it for every tab. A server that
is killed in the middle of a run loses the rest of the answer, and the log says so. Every event arrives once and in order. When events
are lost, the page is told. A topic is a name, and publishing to it makes it. The browser sends no second request while the first one is
open. A tab that is hidden gives its connection back, and a tab that is shown again asks for what it missed. The words of this answer
follow each other by chance. The chance is not large that they make sense, and the sentence that you read is not in any book. A model
writes word by word, and each word is an event before it is a sentence. The log keeps the words of an answer for a day, and the app keeps
the messages of a chat for as long as it likes.`

const words = text.trim().split(/\s+/)
const paceMs = 60
const usualWords = 90
const mostWords = 600

const followers = new Map<string, string[]>()
for (const [index, word] of words.entries()) {
  const next = words[index + 1]
  if (next !== undefined) followers.set(word, [...(followers.get(word) ?? []), next])
}
const beginnings = words.filter((_, index) => index === 0 || words[index - 1]?.endsWith('.'))

type StreamPart =
  Awaited<ReturnType<MockLanguageModelV4['doStream']>>['stream'] extends ReadableStream<infer Part>
    ? Part
    : never

/** As many words as the last message asks for, by a number in it. */
export const wordChain = new MockLanguageModelV4({
  async doStream({ prompt, abortSignal }) {
    const parts = answer(wordsAskedFor(prompt), abortSignal)
    const stream = new ReadableStream<StreamPart>({
      async pull(controller) {
        const { value, done } = await parts.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
    })
    return { stream }
  },
})

async function* answer(
  count: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<StreamPart, void, undefined> {
  yield { type: 'stream-start', warnings: [] }
  yield { type: 'text-start', id: 'text' }
  let word = oneOf(beginnings)
  for (let left = count; left > 0; left--) {
    await sleep(paceMs, undefined, { signal })
    const isLast = left === 1
    yield {
      type: 'text-delta',
      id: 'text',
      delta: isLast ? `${word.replace(/\W+$/, '')}.` : `${word} `,
    }
    word = oneOf(followers.get(word) ?? beginnings)
  }
  yield { type: 'text-end', id: 'text' }
  yield {
    type: 'finish',
    finishReason: { unified: 'stop', raw: 'stop' },
    usage: {
      inputTokens: { total: 0, noCache: 0, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: count, text: count, reasoning: 0 },
    },
  }
}

function wordsAskedFor(prompt: Parameters<MockLanguageModelV4['doStream']>[0]['prompt']): number {
  const asked = prompt.findLast(({ role }) => role === 'user')?.content
  const said = Array.isArray(asked)
    ? asked.map((part) => (part.type === 'text' ? part.text : '')).join(' ')
    : ''
  const [number] = /\d+/.exec(said) ?? []
  return number === undefined ? usualWords : Math.min(Math.max(Number(number), 1), mostWords)
}

function oneOf(list: readonly string[]): string {
  return list[Math.floor(Math.random() * list.length)] ?? ''
}
