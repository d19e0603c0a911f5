/** One app with three libraries for sessions, each beside a server object that is as docs/security.md has it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { blocksIn } from '../files-in'
import type { Files } from './installed-app'

/** The versions that docs/security.md names. */
export const sessionLibraries = [
  'iron-session@8.0.4',
  'better-auth@1.7.17',
  'next-auth@5.0.0-beta.32',
]

const secret = 'the secret of all three libraries, long enough for each'

const route = (library: string): string => `import { sse } from '@/${library}/sse'
export const { GET, HEAD, POST, OPTIONS } = sse.topicRoute`

/** Publishes to any topic, as code on the server may. */
const publish = `import { sse } from '@/iron-session/sse'
export async function POST(request: Request) {
  const { searchParams } = new URL(request.url)
  return Response.json(await sse.publish(searchParams.get('topic') ?? '', 'message', await request.text()))
}`

const ironSession: Files = {
  'iron-session/session.ts': `import { getIronSession } from 'iron-session'
    export interface SessionContent { userId?: string; id?: string }
    export const sessionOptions = { password: ${JSON.stringify(secret)}, cookieName: 'iron', cookieOptions: { secure: false } }
    export async function readSession(request: { headers: Headers }) {
      const { userId, id } = await getIronSession<SessionContent>(request as Request, new Response(), sessionOptions)
      return userId === undefined ? undefined : { userId, id }
    }`,
  'app/iron-session/[action]/route.ts': `import { randomUUID } from 'node:crypto'
    import { getIronSession } from 'iron-session'
    import { cookies } from 'next/headers'
    import { sessionOptions, type SessionContent } from '@/iron-session/session'
    export async function POST(request: Request, { params }: { params: Promise<{ action: string }> }) {
      const { action } = await params
      const session = await getIronSession<SessionContent>(await cookies(), sessionOptions)
      if (action === 'login') Object.assign(session, { userId: await request.text(), id: randomUUID() })
      // Sealing it again makes another text of the same session.
      if (action === 'logout') session.destroy()
      else await session.save()
      return new Response('done')
    }`,
}

const betterAuth: Files = {
  'better-auth/auth.ts': `import { betterAuth } from 'better-auth'
    import { memoryAdapter } from 'better-auth/adapters/memory'
    const state = globalThis as { betterAuthData?: Record<string, never[]> }
    const data = (state.betterAuthData ??= { user: [], session: [], account: [], verification: [] })
    export const auth = betterAuth({
      basePath: '/api/better-auth', baseURL: process.env['APP_URL'], secret: ${JSON.stringify(secret)},
      database: memoryAdapter(data), emailAndPassword: { enabled: true }, rateLimit: { enabled: false },
      // Every look at the session renews it, unless it is told not to.
      session: { expiresIn: 3_600, updateAge: 0 }, telemetry: { enabled: false },
    })`,
  'app/api/better-auth/[...all]/route.ts': `import { toNextJsHandler } from 'better-auth/next-js'
    import { auth } from '@/better-auth/auth'
    export const { GET, POST } = toNextJsHandler(auth)`,
}

const nextAuth: Files = {
  'next-auth/auth.ts': `import NextAuth from 'next-auth'
    import Credentials from 'next-auth/providers/credentials'
    export const { handlers, auth } = NextAuth({
      basePath: '/api/next-auth', secret: ${JSON.stringify(secret)}, trustHost: true,
      providers: [Credentials({ credentials: { name: {} }, authorize: ({ name }) => ({ id: String(name), name: String(name) }) })],
    })`,
  'app/api/next-auth/[...all]/route.ts': `import { handlers } from '@/next-auth/auth'
    export const { GET, POST } = handlers`,
}

/** Their streams are asked to come back after two seconds. */
export function sessionApp(): Files {
  const page = readFileSync(join(__dirname, '..', '..', 'docs', 'security.md'), 'utf8')
  const documented = new Map(blocksIn(page))
  const codeOf = (file: string): string => {
    const code = documented.get(file)
    if (code === undefined) throw new Error(`docs/security.md has no ${file}.`)
    return code
  }
  const libraries = ['iron-session', 'better-auth', 'next-auth']
  return {
    ...ironSession,
    ...betterAuth,
    ...nextAuth,
    ...Object.fromEntries(
      libraries.flatMap((library) => [
        [
          `${library}/sse.ts`,
          codeOf(`${library}/sse.ts`).replace('createSse({', `createSse({ recheck: '2s',`),
        ],
        [`app/${library}/events/[topics]/route.ts`, route(library)],
      ]),
    ),
    'app/inbox/page.tsx': codeOf('app/inbox/page.tsx').replaceAll('@/s', '@/iron-session/s'),
    'app/publish/route.ts': publish,
  }
}
