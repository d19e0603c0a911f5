import type { UIMessageChunk } from 'ai'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { messageOf } from '@/test/readers/message-of'
import { mergeDeltas } from './merge-deltas'

const starts: UIMessageChunk[] = [
  { type: 'start', messageId: 'm' },
  { type: 'text-start', id: 'one' },
  { type: 'text-start', id: 'two' },
  { type: 'reasoning-start', id: 'one' },
  { type: 'tool-input-start', toolCallId: 'call', toolName: 'tool' },
]

const delta = fc.constantFrom<UIMessageChunk>(
  { type: 'text-delta', id: 'one', delta: 'a' },
  { type: 'text-delta', id: 'one', delta: 'b', providerMetadata: { p: { of: 'b' } } },
  { type: 'text-delta', id: 'two', delta: 'c' },
  { type: 'reasoning-delta', id: 'one', delta: 'd' },
  { type: 'tool-input-delta', toolCallId: 'call', inputTextDelta: '[' },
  { type: 'start-step' },
)

describe('mergeDeltas', () => {
  test('joins the words of a part', () => {
    const words: UIMessageChunk[] = ['One ', 'two ', 'three.'].map((word) => ({
      type: 'text-delta',
      id: 'text',
      delta: word,
    }))

    expect(mergeDeltas(words)).toEqual([
      { type: 'text-delta', id: 'text', delta: 'One two three.' },
    ])
  })

  test('leaves every message as it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(delta, { maxLength: 30 }), async (deltas) => {
        const chunks = [...starts, ...deltas]

        const merged = mergeDeltas(chunks)

        expect(await messageOf(merged)).toEqual(await messageOf(chunks))
        expect(merged.length).toBeLessThanOrEqual(chunks.length)
      }),
      { numRuns: 60 },
    )
  })
})
