/**
 * A message as chunks. A page that joins an answer in the middle gets the message that the answer continues in this way, because a chat
 * transport can hand over nothing but chunks.
 */
import type { DynamicToolUIPart, ToolUIPart, UIMessage, UIMessageChunk } from 'ai'
import type { AnswerEvents } from '@/protocol/chat-run'

type Part = UIMessage['parts'][number]
type ToolPart = ToolUIPart | DynamicToolUIPart

/** The chunks that build the message, without calling a tool. */
export function replayMessage({
  messageId,
  parts,
  metadata,
}: AnswerEvents['run.base']): UIMessageChunk[] {
  return [
    { type: 'start', messageId, ...(metadata !== undefined && { messageMetadata: metadata }) },
    ...(parts as Part[]).flatMap((part, index) => replayPart(part, `base-${index}`)),
  ]
}

/**
 * A tool call that is shown and not carried out: `useChat` calls `onToolCall` for `tool-input-available` alone. Until its result comes,
 * the part says that its input is still streaming.
 */
export function quietToolCall({
  toolCallId,
  toolName,
  input,
  ...rest
}: QuietCall): UIMessageChunk[] {
  const { dynamic, title, toolMetadata, providerExecuted, providerMetadata } = rest
  const described = { dynamic, title, toolMetadata, providerExecuted, providerMetadata }
  const start = { type: 'tool-input-start' as const, toolCallId, toolName }
  return [
    Object.assign(start, defined(described)),
    ...(input === undefined
      ? []
      : [{ type: 'tool-input-delta' as const, toolCallId, inputTextDelta: JSON.stringify(input) }]),
  ]
}

type QuietCall = Omit<Extract<UIMessageChunk, { type: 'tool-input-available' }>, 'type'>

function replayPart(part: Part, id: string): UIMessageChunk[] {
  if (part.type === 'text' || part.type === 'reasoning') {
    const { type, text, providerMetadata } = part
    const metadata = defined({ providerMetadata })
    const citations = 'citations' in part ? defined({ citations: part.citations }) : {}
    return [
      { type: `${type}-start`, id, ...metadata },
      { type: `${type}-delta`, id, delta: text },
      { type: `${type}-end`, id, ...metadata, ...citations },
    ]
  }
  if (part.type === 'step-start') return [{ type: 'start-step' }]
  // All other parts have the form of their chunk.
  return isToolPart(part) ? replayTool(part) : [part]
}

function replayTool(part: ToolPart): UIMessageChunk[] {
  const { toolCallId, input, title, toolMetadata, providerExecuted } = part
  const dynamic = part.type === 'dynamic-tool'
  const call = quietToolCall({
    toolCallId,
    toolName: dynamic ? part.toolName : part.type.slice('tool-'.length),
    input,
    dynamic,
    ...defined({
      title,
      toolMetadata,
      providerExecuted,
      providerMetadata: part.callProviderMetadata,
    }),
  })
  return [...call, ...approvalChunks(part), ...resultChunks(part)]
}

function resultChunks(part: ToolPart): UIMessageChunk[] {
  const { toolCallId, state, providerExecuted } = part
  if (state === 'output-denied') return [{ type: 'tool-output-denied', toolCallId }]
  if (state !== 'output-available' && state !== 'output-error') return []
  const rest = defined({ providerExecuted, providerMetadata: part.resultProviderMetadata })
  if (state === 'output-error') {
    return [{ type: 'tool-output-error', toolCallId, errorText: part.errorText, ...rest }]
  }
  const { output, preliminary } = part
  return [
    { type: 'tool-output-available', toolCallId, output, ...rest, ...defined({ preliminary }) },
  ]
}

function approvalChunks({ toolCallId, approval }: ToolPart): UIMessageChunk[] {
  if (!approval) return []
  const { id: approvalId, approved, reason, requestReason, descriptor, signature } = approval
  const { isAutomatic, inputSchemaInput } = approval
  const asked = {
    approvalDescriptor: descriptor,
    reason: requestReason,
    isAutomatic,
    signature,
    inputSchemaInput,
  }
  return [
    { type: 'tool-approval-request', approvalId, toolCallId, ...defined(asked) },
    ...(approved === undefined
      ? []
      : [
          { type: 'tool-approval-response' as const, approvalId, approved, ...defined({ reason }) },
        ]),
  ]
}

function isToolPart(part: Part): part is ToolPart {
  return part.type === 'dynamic-tool' || part.type.startsWith('tool-')
}

/** Without the fields that are undefined. */
function defined<T extends object>(fields: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>
  }
}
