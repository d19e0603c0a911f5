/** Begins runs in this process, as a server action or a route of an app would. */
import { createTokens, parseTokenRequest } from '../../../tokens'
import { sse } from '../../sse'

export async function POST(request: Request): Promise<Response> {
  const { name, runs, ...tokens } = parseTokenRequest(await request.text())
  await Promise.all(
    Array.from({ length: runs }, (_, run) =>
      sse.run(`${name}-${run}`, async function* ({ signal }) {
        for await (const data of createTokens(tokens, signal)) yield { data }
      }),
    ),
  )
  return new Response(null, { status: 201 })
}
