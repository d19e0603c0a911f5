/** Runs what docs/security.md tells to run, and asks what its server objects answer. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { verifyToken } from '@/server/access/tokens/token'
import { journal } from '@/server/observe/journal'
import { metrics } from '@/server/observe/metrics'
import type { Sse } from '@/server/sse/sse'
import { readAllEvents } from '@/test/readers/read-events'
import { signToken } from '@/test/requests/publisher'

const run = promisify(execFile)
const root = join(__dirname, '..')
const page = readFileSync(join(__dirname, 'security.md'), 'utf8')

const secret = 'the secret of these tests, of 32 bytes and more'
// The configuration is read on first use, not on import.
vi.stubEnv('EVENTS_URL', 'memory:')
vi.stubEnv('EVENTS_JWT_SECRET', secret)
vi.stubEnv('HEARTBEAT', '100ms')

function temporaryFolder(): string {
  mkdirSync(join(root, 'test-results'), { recursive: true })
  const folder = mkdtempSync(join(root, 'test-results', 'security-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

/** The first block of TypeScript below this heading, or the block of this file. */
function codeOf(heading: string, file: string): string {
  const section = page.slice(page.indexOf(`\n${heading}\n`))
  const [, code = ''] =
    new RegExp(`^\`\`\`tsx?\n(// ${file}\n[^]*?)^\`\`\`$`, 'm').exec(section) ?? []
  expect(code).not.toBe('')
  return code
}

/** The server object of a block, with this text as the `session.ts` of its app. */
async function loadSse(code: string, session: string): Promise<Sse> {
  const folder = temporaryFolder()
  const [, file = ''] = /^\/\/ (\S+)/.exec(code) ?? []
  mkdirSync(dirname(join(folder, file)), { recursive: true })
  writeFileSync(join(folder, file), code)
  writeFileSync(join(dirname(join(folder, file)), 'session.ts'), session)
  const { sse } = (await import(join(folder, file))) as { sse: Sse }
  return sse
}

/** Stands for the sessions of an app: `session=<id of the user>-<id of the session>`, and for how long the sessions last. */
const sessionModule = `
  export const lastsMs = { value: 60_000 }
  export async function readSession(request: { headers: Headers }) {
    const [, userId, id] = /session=(\\w+)-(\\w+)/.exec(request.headers.get('cookie') ?? '') ?? []
    if (userId === undefined || id === undefined) return undefined
    return { userId, id, expiresAt: new Date(Date.now() + 60_000) }
  }
  export const closed = new Set<string>()
  export const isOpen = (key: string | undefined) => key !== undefined && !closed.has(key)
  export async function authorize({ request }: { request: Request }) {
    const session = await readSession(request)
    return session ? { subject: session.userId, sessionKey: session.id } : { subject: undefined }
  }`

const ana = { cookie: 'session=ana-s1' }

function ask(
  sse: Sse,
  topic: string,
  headers: Record<string, string> = {},
  method: 'GET' | 'HEAD' | 'POST' = 'HEAD',
): Promise<Response> {
  const url = `http://localhost:3000/events/${topic}`
  const body = method === 'POST' ? 'hello' : undefined
  return sse.topicRoute[method](new Request(url, { method, headers, ...(body && { body }) }))
}

async function statusOf(...asked: Parameters<typeof ask>): Promise<number> {
  return (await ask(...asked)).status
}

afterEach(async () => {
  expect((await metrics.openStreams.get()).values[0]?.value).toBe(0)
  vi.restoreAllMocks()
})

describe('docs/security.md', () => {
  test('its own session decides who reads, as whom and until when', async () => {
    const sse = await loadSse(codeOf('## Your own session', 'sse.ts'), sessionModule)

    expect(await statusOf(sse, 'user.ana', ana)).toBe(200)
    expect(await statusOf(sse, 'user.ana')).toBe(401)
    expect(await statusOf(sse, 'user.bob', ana)).toBe(403)
    expect(await statusOf(sse, 'user.ana', ana, 'POST')).toBe(403)
    const readers = await Promise.all(
      ['ana-s1', 'ana-s1', 'ana-s2'].map(async (session) => {
        const { headers } = await ask(sse, 'user.ana', { cookie: `session=${session}` })
        return headers.get('event-reader')
      }),
    )
    expect(readers[0]).toBe(readers[1])
    expect(readers[2]).not.toBe(readers[0])
  })

  test('people come by session, programs by token, and only those publish', async () => {
    const sse = await loadSse(codeOf('### Publishing', 'sse.ts'), sessionModule)
    const events = { subscribe: ['*'], publish: ['orders'] }
    const program = { authorization: `Bearer ${signToken({ events }, { secret })}` }

    expect(await statusOf(sse, 'user.ana', ana)).toBe(200)
    expect(await statusOf(sse, 'user.bob', ana)).toBe(403)
    expect(await statusOf(sse, 'user.bob', program)).toBe(200)
    expect(await statusOf(sse, 'user.bob')).toBe(401)
    expect(await statusOf(sse, 'orders', program, 'POST')).toBe(201)
    expect(await statusOf(sse, 'orders', ana, 'POST')).toBe(401)
  })

  test('revalidate keeps a stream for as long as its session is open', async () => {
    const code = codeOf('### Until when', 'sse.ts').replace("'1m'", "'100ms'")
    const sse = await loadSse(
      code,
      sessionModule.replace('closed.has(key)', 'closed.add(key).size > 3'),
    )

    const response = await ask(sse, 'anything', ana, 'GET')
    const events = await readAllEvents(response)

    expect(events.at(-1)?.data).toContain('expired')
  })

  test('a bearer token of an identity provider is a session too', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256')
    const jwk = { ...(await exportJWK(publicKey)), alg: 'RS256', kid: 'one' }
    vi.spyOn(globalThis, 'fetch').mockImplementation(() =>
      Promise.resolve(Response.json({ keys: [jwk] })),
    )
    vi.stubEnv('JWKS_URL', 'https://id.example.com/jwks.json')
    vi.spyOn(journal, 'error').mockImplementation(() => {})
    const sse = await loadSse(codeOf('### With your library', 'bearer/sse.ts'), '')
    const bearer = async (claims: object, audience = 'my-app'): Promise<Record<string, string>> => {
      const token = new SignJWT({ sub: 'ana', sid: 's1', ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: 'one' })
        .setAudience(audience)
        .setExpirationTime('1m')
      return { authorization: `Bearer ${await token.sign(privateKey)}` }
    }

    expect(await statusOf(sse, 'user.ana', await bearer({}))).toBe(200)
    expect(await statusOf(sse, 'user.bob', await bearer({}))).toBe(403)
    expect(await statusOf(sse, 'user.ana')).toBe(401)
    expect(await statusOf(sse, 'user.ana', await bearer({}, 'another-app'))).toBe(401)
    expect(await statusOf(sse, 'user.ana', { authorization: 'Bearer x.y.z' })).toBe(401)
  })

  test('its program issues a token that holds, and for what it says', async () => {
    const [, , makeSecret = ''] = /^```sh\n(EVENTS_JWT_SECRET=\$\((.+)\))\n```$/m.exec(page) ?? []
    const { stdout: made } = await run('sh', ['-c', makeSecret])
    const [, program = ''] = /^```js\n([^]*?)^```$/m.exec(page) ?? []
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'issue-token.mjs'), program)

    const env = { ...process.env, EVENTS_JWT_SECRET: made.trim() }
    const { stdout: token } = await run(process.execPath, ['issue-token.mjs'], { cwd: folder, env })

    expect(Buffer.byteLength(made.trim())).toBeGreaterThanOrEqual(32)
    const inDays = ((await verifyToken(token.trim(), made.trim()))?.expiresAtMs ?? 0) - Date.now()
    expect(Math.round(inDays / 86_400_000)).toBe(30)
    expect(await verifyToken(token.trim(), made.trim())).toMatchObject({
      subject: 'the shop',
      subscribe: ['news', 'orders.*'],
      publish: ['orders.*'],
    })
  })
})
