/** An app whose model calls a tool that the page carries out: the real `useChat` in Chromium. */
import { rm } from 'node:fs/promises'
import type { Page } from 'playwright/test'
import { expect, test as base } from '../../test/fixtures/page-test'
import { buildOwnApp, ownAppConfig } from '../../test/servers/own-app'
import type { RunningServer } from '../../test/servers/start-server'

const files = {
  'next.config.js': `module.exports = { ${ownAppConfig} }`,
  'app/sse.ts': `import { createSse } from 'next-sse'
    export const sse = createSse({ authorize: () => true })`,
  'app/events/[topics]/route.ts': `import { sse } from '../../sse'
    export const { GET, HEAD, OPTIONS } = sse.topicRoute`,
  'app/chats.ts': `import type { UIMessage } from 'ai'
    import { sse } from './sse'
    interface Known { messages: Map<string, UIMessage[]>; calls: number; carriedOut: string[] }
    export const known = ((globalThis as { known?: Known }).known ??= { messages: new Map(), calls: 0, carriedOut: [] })
    export async function loadChat(id: string) {
      const run = await sse.runOf('chat.' + id)
      return { run, messages: known.messages.get(id) ?? [] }
    }`,
  'app/known/route.ts': `import { known } from '../chats'
    export const GET = () => Response.json({ calls: known.calls, carriedOut: known.carriedOut })
    export async function POST(request: Request) {
      known.carriedOut.push(await request.text())
      return new Response()
    }`,
  'app/api/chat/route.ts': `import { convertToModelMessages, jsonSchema, simulateReadableStream, streamText, tool, toUIMessageStream, type UIMessage } from 'ai'
    import { MockLanguageModelV4 } from 'ai/test'
    import { chatRoute } from 'next-sse/ai'
    import { known } from '../../chats'
    import { sse } from '../../sse'

    const usage = { inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 }, outputTokens: { total: 1, text: 1, reasoning: 0 } }
    const words = (text: string) => [
      { type: 'text-start', id: 'text' },
      ...text.split(/(?<= )/).map((delta) => ({ type: 'text-delta', id: 'text', delta })),
      { type: 'text-end', id: 'text' },
    ]
    const finish = (unified: string) => ({ type: 'finish', finishReason: { unified, raw: unified }, usage })
    /** Asks where the page is, takes its time, and then says what it was told. */
    const model = new MockLanguageModelV4({
      async doStream({ prompt }: { prompt: { role: string; content: unknown }[] }) {
        known.calls++
        const last = prompt.at(-1)
        const chunks = last?.role === 'tool'
          ? [...words('You are ' + JSON.stringify(last.content).match(/place \\d+/)?.[0] + ', I think. '.repeat(20)), finish('stop')]
          : [...words('Let me ask. '.repeat(5)), { type: 'tool-call', toolCallId: 'call-' + known.calls, toolName: 'place', input: '{}' }, ...words('Asked. '.repeat(20)), finish('tool-calls')]
        return { stream: simulateReadableStream({ chunks: [{ type: 'stream-start', warnings: [] }, ...chunks], chunkDelayInMs: 60 }) }
      },
    } as never)
    const tools = { place: tool({ inputSchema: jsonSchema({ type: 'object', properties: {} }) }) }

    export const { GET, POST } = chatRoute(sse, {
      authorize: () => true,
      begin: ({ chatId, messages }) => void known.messages.set(chatId, messages),
      async answer({ chatId, messages, answerId, signal }) {
        const { stream } = streamText({ model, tools, messages: await convertToModelMessages(messages), abortSignal: signal } as never)
        return toUIMessageStream({
          stream, originalMessages: messages, generateMessageId: () => answerId,
          onEnd: ({ messages: all }: { messages: UIMessage[] }) => void known.messages.set(chatId, all),
        } as never)
      },
    })`,
  'app/load/[id]/route.ts': `import { loadChat } from '../../chats'
    export const GET = async (_: Request, { params }: { params: Promise<{ id: string }> }) => Response.json(await loadChat((await params).id))`,
  'app/chat/[id]/page.tsx': `import { loadChat } from '../../chats'
    import { Chat } from './chat'
    export default async function Page({ params }: { params: Promise<{ id: string }> }) {
      const { id } = await params
      return <Chat id={id} {...await loadChat(id)} />
    }`,
  'app/chat/[id]/chat.tsx': `'use client'
    import { useChat } from '@ai-sdk/react'
    import { lastAssistantMessageIsCompleteWithToolCalls, type UIMessage } from 'ai'
    import { createRunTransport, useChatRuns, type ChatRun } from 'next-sse/ai/react'
    import { useState } from 'react'

    let places = 0
    const load = async (id: string) => (await fetch('/load/' + id)).json()
    export function Chat({ id, run, messages }: { id: string; run: ChatRun | undefined; messages: UIMessage[] }) {
      const [transport] = useState(() => createRunTransport({ run }))
      const chat = useChat({
        id, messages, transport, resume: true,
        sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithToolCalls,
        async onToolCall({ toolCall }) {
          await fetch('/known', { method: 'POST', body: toolCall.toolCallId })
          void chat.addToolOutput({ tool: 'place', toolCallId: toolCall.toolCallId, output: 'place ' + ++places } as never)
        },
      })
      useChatRuns(chat, transport, { load: () => load(id) })
      const ask = () => void chat.sendMessage({ text: 'Where am I?' })
      return <>
        <button onClick={ask}>Ask</button>
        <button onClick={() => { ask(); ask() }}>Ask twice</button>
        <p role="status">{chat.status}</p>
        <ul>{chat.messages.map((message) => <li key={message.id}>{message.parts.map((part) =>
          part.type === 'text' ? part.text : part.type === 'tool-place' ? '[' + (part as { state: string }).state + ']' : '').join('')}</li>)}</ul>
      </>
    }`,
}

let app: string

const test = base.extend<{ chats: RunningServer }>({
  chats: async ({ start }, use) => use(await start({ app, env: { RETRY: '200ms' } })),
  // The app has no icon, and its server ends while the page is open.
  toleratedComplaint: /status of 404|net::ERR_INCOMPLETE/,
})
test.describe.configure({ mode: 'default' })

test.beforeAll(async () => {
  test.setTimeout(240_000)
  app = await buildOwnApp('tool-app', files)
})
test.afterAll(() => rm(app, { recursive: true }))

interface Known {
  /** How often the model was asked. */
  calls: number
  /** The tool calls that pages carried out. */
  carriedOut: string[]
}

async function knownBy({ url }: RunningServer): Promise<Known> {
  return (await (await fetch(`${url}/known`)).json()) as Known
}

const answer = (page: Page) => page.getByRole('listitem').last()
const ready = async (...pages: Page[]): Promise<void> => {
  for (const page of pages) {
    await expect(answer(page)).toContainText('You are place', { timeout: 20_000 })
    await expect(page.getByRole('status')).toHaveText('ready', { timeout: 20_000 })
  }
}

test('A tool call is carried out once: by the tab that asked, not by one that joined, and not again after reloads @soak-only', async ({
  page,
  context,
  chats,
}) => {
  const address = `${chats.url}/chat/one`
  await page.goto(address)
  const second = await context.newPage()
  await second.goto(address)
  await page.getByRole('button', { name: 'Ask', exact: true }).click()
  await expect(answer(page)).toContainText('[output-available]Asked.')
  await expect(answer(second)).toContainText(']Asked.')
  const third = await context.newPage()
  await third.goto(address)
  await second.reload()

  await ready(page, second, third)
  const told = await answer(page).textContent()
  await page.reload()
  await ready(page)

  expect(await answer(second).textContent()).toBe(told)
  expect(await answer(page).textContent()).toBe(told)
  expect(await knownBy(chats)).toEqual({ calls: 2, carriedOut: ['call-1'] })
})

test('A message that is sent twice at once runs one model @soak-only', async ({ page, chats }) => {
  await page.goto(`${chats.url}/chat/two`)

  await page.getByRole('button', { name: 'Ask twice' }).click()

  await ready(page)
  expect(await knownBy(chats)).toEqual({ calls: 2, carriedOut: ['call-1'] })
})
