/** A blank page with nothing but the client in it, and what a test does with it. */
import { join } from 'node:path'
import { build } from 'esbuild'
import type { Page } from 'playwright/test'
import { expect } from '../fixtures/server-test'
import type { PageClientOptions, Recorded } from './client-in-page'
import type { StreamState } from '@/client/stream-state'
import type { Status } from '@/client/stream-status'

let made: Promise<string> | undefined

/** The page, as HTML. */
export function clientPage(): Promise<string> {
  return (made ??= makePage())
}

async function makePage(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(__dirname, 'client-in-page.ts')],
    bundle: true,
    write: false,
    target: 'es2022',
  })
  return `<!doctype html><title>Client</title><script>${outputFiles[0]?.text}</script>`
}

export interface ClientInPage {
  state: () => Promise<StreamState<Record<string, StringConstructor>>>
  recorded: () => Promise<Recorded>
  /** The data of every event so far. */
  data: () => Promise<unknown[]>
  /** The statuses it went through, in order. */
  path: () => Promise<Status[]>
  /** Resolves once its status is one of these. */
  until: (...statuses: Status[]) => Promise<void>
  untilData: (data: readonly unknown[]) => Promise<void>
  /** The step with which it began to wait for the `n`th time, from 1, once it has. */
  wait: (n: number) => Promise<{ status: Status; attempt: number; error?: string; waitMs: number }>
  call: (method: 'open' | 'close' | 'disable' | 'reconnect') => Promise<void>
}

/** Opens a client for `options.url` in a blank page of `origin`. */
export async function openClient(
  page: Page,
  origin: string,
  options: PageClientOptions,
): Promise<ClientInPage> {
  await page.goto(`${origin}/client`)
  await page.evaluate((given) => window.startClient(given), options)
  const recorded = (): Promise<Recorded> => page.evaluate(() => window.recorded)
  const state: ClientInPage['state'] = () => page.evaluate(() => window.client.getState())
  const data = async (): Promise<unknown[]> => (await recorded()).events.map((event) => event.data)
  return {
    state,
    recorded,
    data,
    async path() {
      const { steps } = await recorded()
      return steps.flatMap(({ status }, at) => (steps[at - 1]?.status === status ? [] : [status]))
    },
    async until(...statuses) {
      await expect.poll(async () => statuses.includes((await state()).status), polling).toBe(true)
    },
    async untilData(expected) {
      await expect.poll(data, polling).toEqual(expected)
    },
    async wait(n) {
      const waits = async () =>
        (await recorded()).steps.flatMap(({ waitMs, ...step }) =>
          waitMs === undefined ? [] : [{ ...step, waitMs }],
        )
      await expect.poll(async () => (await waits()).length, polling).toBeGreaterThanOrEqual(n)
      const step = (await waits())[n - 1]
      if (!step) throw new Error(`It did not wait ${n} times.`)
      return step
    },
    call: (method) => page.evaluate((name) => window.client[name](), method),
  }
}

const polling = { timeout: 15_000, intervals: [25] }

/** What the client may wait before attempt `failures` + 1, in milliseconds. */
export function longestWaitMs(failures: number): number {
  return Math.min(30_000, 1_000 * 2 ** (failures - 1))
}

/** The page's clock goes on by `page.clock.fastForward` alone, however slow the machine is. To be called before a page is opened. */
export async function stopClock(page: Page): Promise<void> {
  const now = Date.now()
  await page.clock.install({ time: now })
  await page.clock.pauseAt(now + 1_000)
}
