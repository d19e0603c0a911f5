/** Joins the deltas of an answer: a model writes word by word, and each chunk costs a reader some 80 bytes more than its word. */
import type { UIMessageChunk } from 'ai'

/** The same answer in fewer chunks: deltas of the same part that follow each other become one. */
export function mergeDeltas(chunks: readonly UIMessageChunk[]): UIMessageChunk[] {
  const merged: UIMessageChunk[] = []
  for (const chunk of chunks) {
    const last = merged.at(-1)
    const joined = last && joinTwo(last, chunk)
    if (joined) merged[merged.length - 1] = joined
    else merged.push(chunk)
  }
  return merged
}

/** Undefined when they are not two deltas of the same part, or one of them says more than its text. */
function joinTwo(one: UIMessageChunk, other: UIMessageChunk): UIMessageChunk | undefined {
  if (one.type === 'tool-input-delta' && other.type === 'tool-input-delta') {
    if (one.toolCallId !== other.toolCallId) return undefined
    return { ...one, inputTextDelta: one.inputTextDelta + other.inputTextDelta }
  }
  if (one.type !== 'text-delta' && one.type !== 'reasoning-delta') return undefined
  if (other.type !== one.type || other.id !== one.id) return undefined
  if (one.providerMetadata || other.providerMetadata) return undefined
  return { ...one, delta: one.delta + other.delta }
}
