/** The app under test: it asks the checker's store of sessions who may read, and ends rights when it is told to. */
import { buildOwnApp, ownAppConfig } from '../../../test/servers/own-app'

/** Two routes of topics: one has grants confirmed, the other has readers come back. */
export const paths = { confirmed: '/events', plain: '/plain' } as const
export type Path = keyof typeof paths

export const recheckMs = 6_000
/** Says which stream a request is for, so that the store can tell what it granted to which. */
export const streamHeader = 'x-stream'

const files = {
  'next.config.js': `module.exports = { ${ownAppConfig} }`,
  'sse.ts': `
    import { createSse } from 'next-sse'

    async function ask(what: string, question: object) {
      const options = { method: 'POST', body: JSON.stringify(question), cache: 'no-store' } as const
      return (await fetch(process.env.SESSION_STORE + what, options)).json()
    }
    const options = {
      authorize: {
        read: ({ topics, request }: { topics: readonly string[]; request: Request }) =>
          ask('/ask', { topics, cookie: request.headers.get('cookie'), stream: request.headers.get('${streamHeader}') }),
        publish: ({ request }: { request: Request }) => request.headers.get('authorization') === process.env.PUBLISHER,
      },
      recheck: '${recheckMs}ms',
    }
    export const confirmed = createSse({ ...options, revalidate: (grant) => ask('/confirm', grant) })
    export const plain = createSse({ ...options, path: '${paths.plain}' })`,
  [`app${paths.confirmed}/[topics]/route.ts`]: `
    import { confirmed } from '../../../sse'
    export const { GET, HEAD, POST, OPTIONS } = confirmed.topicRoute`,
  [`app${paths.plain}/[topics]/route.ts`]: `
    import { plain } from '../../../sse'
    export const { GET, HEAD, POST, OPTIONS } = plain.topicRoute`,
  'app/disconnect/route.ts': `
    import { confirmed } from '../../sse'
    export async function POST(request: Request) {
      await confirmed.disconnect(await request.json())
      return new Response('Done.')
    }`,
}

/** Resolves with its folder, which has this name. */
export async function buildSessionApp(name: string): Promise<string> {
  return await buildOwnApp(name, files)
}
