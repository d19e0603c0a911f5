/** A chat as it is now, for a page that is open. */
import { isChatId, loadChat } from '@/app/chat/chats'

interface ChatContext {
  params: Promise<{ chat: string }>
}

export async function GET(_: Request, { params }: ChatContext): Promise<Response> {
  const { chat } = await params
  if (!isChatId(chat)) return new Response(null, { status: 404 })
  return Response.json(await loadChat(chat), { headers: { 'Cache-Control': 'no-store' } })
}
