/** Runs the program of docs/protocol.md against a server. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createSse } from '@/server/sse/sse'
import { findOnPath } from '@/test/programs/find-program'

// The configuration is read on first use, not on import.
vi.stubEnv('EVENTS_URL', 'memory:')

const run = promisify(execFile)
const python = findOnPath('python3')
const page = readFileSync(join(__dirname, 'protocol.md'), 'utf8')
const [, program = ''] = /^```python\n([^]*?)^```$/m.exec(page) ?? []

const sse = createSse()
const server = createServer((request, response) => {
  void (async () => {
    const url = `http://localhost${request.url}`
    const body = await text(request)
    const headers = request.headers as Record<string, string>
    const answer = await sse.topicRoute.POST(new Request(url, { method: 'POST', body, headers }))
    response.writeHead(answer.status, Object.fromEntries(answer.headers))
    response.end(await answer.text())
  })()
})

beforeAll(async () => {
  if (!python) console.log('The program in Python is not tested: there is no python3.')
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
})

afterAll(async () => {
  server.close()
  await sse.close()
})

function produce(topic: string): Promise<{ stdout: string }> {
  const { port } = server.address() as AddressInfo
  const TOPIC_URL = `http://127.0.0.1:${port}/events/${topic}`
  return run(python ?? '', ['-c', program], { env: { ...process.env, TOPIC_URL } })
}

describe.skipIf(!python)('the producer in Python', () => {
  test('begins a run, publishes its values, and ends it', async () => {
    const { stdout } = await produce('import.42')

    expect(stdout.trim()).toBe('done')
    const info = await sse.runOf('import.42')
    expect(info).toMatchObject({ status: 'done' })
    const { events } = await sse.history('import.42')
    expect(events.map(({ type, data }) => [type, JSON.parse(data) as unknown])).toEqual([
      ['run.begin', { run: info?.id }],
      ['progress', { done: 1, row: 'one' }],
      ['progress', { done: 2, row: 'two' }],
      ['progress', { done: 3, row: 'three' }],
      ['run.end', { run: info?.id, status: 'done' }],
    ])
  })

  test('says so where another run lives', async () => {
    const living = await sse.run('import.43', async function* ({ signal }) {
      yield { data: 1 }
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve)
      })
    })

    await expect(produce('import.43')).rejects.toMatchObject({
      stderr: expect.stringContaining(`not ended yet: ${living.id}`) as string,
    })
    await sse.stop('import.43')
    expect(await living.ended).toEqual({ status: 'stopped' })
  })
})
