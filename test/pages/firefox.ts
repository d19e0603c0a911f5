/** A Firefox with a profile of its own, driven by WebDriver BiDi: Playwright drives only a Firefox that it has built itself. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BrowserContext, Page } from 'playwright/test'
import { WebSocket } from 'undici'

/** What the client's tests need of a page. */
type ScriptedPage = Pick<Page, 'goto' | 'goBack' | 'evaluate'>

export interface Firefox extends Pick<BrowserContext, 'clearCookies' | 'addCookies'> {
  newPage: () => Promise<ScriptedPage>
  close: () => Promise<void>
}

type Send = (method: string, params?: object) => Promise<Record<string, unknown>>

const startMs = 60_000

/** Starts the Firefox at `path`, without a window. */
export async function openFirefox(path: string): Promise<Firefox> {
  const profile = await mkdtemp(join(tmpdir(), 'next-sse-firefox-'))
  const options = ['--headless', '--no-remote', '--remote-debugging-port', '0']
  const browser = spawn(path, [...options, '--profile', profile, 'about:blank'])
  const exited = once(browser, 'exit')
  const address = await new Promise<string>((resolve, reject) => {
    let output = ''
    const fail = (): void => reject(new Error(`Firefox did not start:\n${output}`))
    const timer = setTimeout(fail, startMs)
    browser.once('exit', fail)
    browser.stderr.on('data', (text: Buffer) => {
      output += text.toString()
      const [, listening] = /WebDriver BiDi listening on (ws:\S+)/.exec(output) ?? []
      if (listening === undefined) return
      clearTimeout(timer)
      resolve(`${listening}/session`)
    })
  })
  const send = await connect(address)
  await send('session.new', { capabilities: {} })

  return {
    async newPage() {
      const { context } = await send('browsingContext.create', { type: 'tab' })
      return pageIn(String(context), send)
    },
    clearCookies: async () => void (await send('storage.deleteCookies')),
    async addCookies(cookies) {
      for (const { name, value, domain, path: under, httpOnly } of cookies) {
        const text = { type: 'string', value }
        await send('storage.setCookie', {
          cookie: { name, value: text, domain, path: under, httpOnly, sameSite: 'lax' },
        })
      }
    },
    async close() {
      await send('browser.close')
      await Promise.race([exited, sleep(5_000)])
      browser.kill('SIGKILL')
      await rm(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Resolves with a function that sends a command, and resolves with its result. */
async function connect(address: string): Promise<Send> {
  const socket = new WebSocket(address)
  const waiting = new Map<number, (answer: Record<string, unknown>) => void>()
  let sent = 0
  socket.addEventListener('message', ({ data }) => {
    const answer = JSON.parse(String(data)) as Record<string, unknown>
    waiting.get(Number(answer['id']))?.(answer)
  })
  await once(socket, 'open')

  return (method, params = {}) =>
    new Promise((resolve, reject) => {
      const id = ++sent
      waiting.set(id, (answer) => {
        waiting.delete(id)
        if (answer['type'] === 'success') resolve(answer['result'] as Record<string, unknown>)
        else reject(new Error(`${method}: ${String(answer['message'])}`))
      })
      socket.send(JSON.stringify({ id, method, params }))
    })
}

function pageIn(context: string, send: Send): ScriptedPage {
  async function evaluate(script: unknown, given?: unknown): Promise<unknown> {
    const call = `(${String(script)})(${JSON.stringify(given)})`
    const { type, result, exceptionDetails } = await send('script.evaluate', {
      expression: `Promise.resolve(${call}).then((value) => JSON.stringify(value) ?? 'null')`,
      target: { context },
      awaitPromise: true,
    })
    if (type === 'success') return JSON.parse((result as { value: string }).value) as unknown
    throw new Error((exceptionDetails as { text: string }).text)
  }
  const page = {
    goto: (url: string) => send('browsingContext.navigate', { context, url, wait: 'complete' }),
    goBack: () => send('browsingContext.traverseHistory', { context, delta: -1 }),
    evaluate,
  }
  return page as unknown as ScriptedPage
}
