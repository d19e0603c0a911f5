/** Runs what docs/security.md tells to run. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { verifyToken } from '@/server/access/token'

const run = promisify(execFile)
const root = join(__dirname, '..')
const page = readFileSync(join(__dirname, 'security.md'), 'utf8')

describe('docs/security.md', () => {
  test('its program issues a token that holds, and for what it says', async () => {
    const [, , makeSecret = ''] = /^```sh\n(EVENTS_JWT_SECRET=\$\((.+)\))\n```$/m.exec(page) ?? []
    const { stdout: secret } = await run('sh', ['-c', makeSecret])
    const [, program = ''] = /^```js\n([^]*?)^```$/m.exec(page) ?? []
    mkdirSync(join(root, 'test-results'), { recursive: true })
    const folder = mkdtempSync(join(root, 'test-results', 'security-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'issue-token.mjs'), program)

    const env = { ...process.env, EVENTS_JWT_SECRET: secret.trim() }
    const { stdout: token } = await run(process.execPath, ['issue-token.mjs'], { cwd: folder, env })

    expect(Buffer.byteLength(secret.trim())).toBeGreaterThanOrEqual(32)
    const inDays = ((await verifyToken(token.trim(), secret.trim()))?.expiresAtMs ?? 0) - Date.now()
    expect(Math.round(inDays / 86_400_000)).toBe(30)
    expect(await verifyToken(token.trim(), secret.trim())).toMatchObject({
      subject: 'the shop',
      subscribe: ['news', 'orders.*'],
      publish: ['orders.*'],
    })
  })
})
