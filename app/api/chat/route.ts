/** The route of all chats: who knows a chat's address may read it, write in it and stop its answers. */
import { convertToModelMessages, streamText, toUIMessageStream } from 'ai'
import { chatRoute } from 'next-sse/ai'
import { isChatId, saveChat } from '@/app/chat/chats'
import { wordChain } from '@/app/chat/word-chain'
import { sse } from '@/app/sse'

export const { GET, POST } = chatRoute(sse, {
  authorize: ({ chatId }) => isChatId(chatId),
  begin: ({ chatId, messages }) => saveChat(chatId, messages),
  async answer({ chatId, messages, answerId, signal }) {
    const { stream } = streamText({
      model: wordChain,
      messages: await convertToModelMessages(messages),
      abortSignal: signal,
    })
    return toUIMessageStream({
      stream,
      originalMessages: messages,
      generateMessageId: () => answerId,
      onEnd: ({ messages: all }) => saveChat(chatId, all),
    })
  },
})
