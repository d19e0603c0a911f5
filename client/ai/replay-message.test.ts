import type { UIMessage } from 'ai'
import { describe, expect, test } from 'vitest'
import { messageOf } from '@/test/readers/message-of'
import { replayMessage } from './replay-message'

const approval = { id: 'a', approved: true as const, reason: 'Fine.', requestReason: 'May I?' }

const parts: UIMessage['parts'] = [
  { type: 'step-start' },
  { type: 'text', text: 'Let me see.', state: 'done', providerMetadata: { p: { a: 1 } } },
  { type: 'reasoning', id: 'r', text: 'Hm.', state: 'done' },
  { type: 'file', mediaType: 'image/png', url: 'data:image/png;base64,' },
  { type: 'source-url', sourceId: 's', url: 'https://example.com', title: 'Example' },
  { type: 'source-document', sourceId: 'd', mediaType: 'text/plain', title: 'Paper' },
  { type: 'data-note', id: 'n', data: { text: 'noted' } },
  {
    type: 'tool-place',
    toolCallId: '1',
    state: 'output-available',
    input: { near: 'here' },
    output: 'Oslo',
  },
  { type: 'tool-place', toolCallId: '2', state: 'output-error', input: [1], errorText: 'No.' },
  {
    type: 'tool-place',
    toolCallId: '3',
    state: 'approval-requested',
    input: {},
    approval: { id: 'q' },
  },
  {
    type: 'tool-place',
    toolCallId: '4',
    state: 'output-available',
    input: {},
    output: null,
    approval,
  },
  {
    type: 'tool-place',
    toolCallId: '5',
    state: 'output-denied',
    input: {},
    approval: { id: 'x', approved: false },
  },
  { type: 'step-start' },
  {
    type: 'dynamic-tool',
    toolName: 'any',
    toolCallId: '6',
    state: 'output-available',
    input: 'text',
    output: 7,
    title: 'Any',
  },
]

const base = { messageId: 'm', parts, metadata: { model: 'test' } }

describe('replayMessage', () => {
  test('builds the same message, of whatever parts', async () => {
    const message = await messageOf(replayMessage(base))

    // The SDK notes the id of a reasoning part, and the text of an input while it streams.
    const plain = JSON.parse(JSON.stringify(message)) as UIMessage
    for (const part of plain.parts) {
      if ('rawInput' in part) delete part.rawInput
      if (part.type === 'reasoning') part.id = 'r'
    }
    expect(plain).toEqual({ id: 'm', role: 'assistant', metadata: { model: 'test' }, parts })
  })

  test('calls no tool', () => {
    expect(replayMessage(base).map(({ type }) => type)).not.toContain('tool-input-available')
  })

  test('shows a call that has no result', async () => {
    const [call] =
      (
        await messageOf(
          replayMessage({
            messageId: 'm',
            parts: [
              {
                type: 'tool-place',
                toolCallId: '1',
                state: 'input-available',
                input: { near: 'x' },
              },
            ],
          }),
        )
      )?.parts ?? []

    expect(call).toMatchObject({ state: 'input-streaming', input: { near: 'x' } })
  })
})
