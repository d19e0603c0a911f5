/** Files of an app that publishes where it may and where it may not, and has a route of topics that is not at its path. */
const publishes = `import { sse } from '@/sse'
export async function publishes(): Promise<string> {
  return await sse.publish('rendered', 'message', 1).then(
    () => 'published',
    (error: { code: string }) => error.code,
  )
}
`
export const elsewhere = {
  'publishes.ts': publishes,
  'app/rendering/page.tsx': `import { connection } from 'next/server'
import { Suspense, type ReactNode } from 'react'
import { publishes } from '@/publishes'

export default function Page(): ReactNode {
  return <Suspense><Publishing /></Suspense>
}

async function Publishing(): Promise<ReactNode> {
  await connection()
  return <p>{await publishes()}</p>
}
`,
  'app/answering/route.ts': `import { connection } from 'next/server'
import { publishes } from '@/publishes'

export async function GET(): Promise<Response> {
  await connection()
  return new Response(await publishes())
}
`,
  'app/elsewhere/[topics]/route.ts': `export { GET } from '@/app/events/[topics]/route'`,
}
