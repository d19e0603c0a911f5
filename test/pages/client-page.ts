/** A blank page with only the client in it, and functions to use it from a test. */
import { join } from 'node:path'
import { build } from 'esbuild'
import type { Page } from 'playwright/test'
import { expect } from '../fixtures/server-test'
import type { PageClientOptions, Recorded } from './client-in-page'
import type { Status, StreamState } from '@/client/stream-state'

/** What a page with a client in it is made of. */
export interface ClientFiles {
  html: string
  /** The script of the worker that reads for all tabs. */
  worker: string
}

let cached: Promise<ClientFiles> | undefined

export function clientFiles(): Promise<ClientFiles> {
  return (cached ??= buildFiles())
}

async function buildFiles(): Promise<ClientFiles> {
  const [page, worker] = await Promise.all(
    [
      join(__dirname, 'client-in-page.ts'),
      join(__dirname, '../../client/tabs/shared-stream-worker.ts'),
    ].map(bundle),
  )
  // A module, because the client finds its worker by the module's address.
  const script = `<script type="module">${page}</script>`
  return { html: `<!doctype html><title>Client</title>${script}`, worker: worker ?? '' }
}

async function bundle(entry: string): Promise<string | undefined> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
  })
  return outputFiles[0]?.text
}

export interface ClientInPage {
  state: () => Promise<StreamState<Record<string, StringConstructor>>>
  recorded: () => Promise<Recorded>
  /** The data of every event so far. */
  data: () => Promise<unknown[]>
  /** Every status it has had, in order. */
  path: () => Promise<Status[]>
  /** Resolves when its status is one of these. */
  until: (...statuses: Status[]) => Promise<void>
  untilData: (data: readonly unknown[]) => Promise<void>
  /** Resolves with the step that began the `n`th wait, counted from 1. */
  wait: (n: number) => Promise<{ status: Status; attempt: number; error?: string; waitMs: number }>
  call: (method: 'open' | 'close' | 'disable' | 'reconnect') => Promise<void>
}

/** Opens a client for `options.url` in a blank page of `origin`. */
export async function openClient(
  page: Pick<Page, 'goto' | 'evaluate'>,
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

/** The longest time the client may wait after so many failures, in milliseconds. */
export function longestWaitMs(failures: number): number {
  return Math.min(30_000, 1_000 * 2 ** (failures - 1))
}

/** Stops the page's clock: only `page.clock.fastForward` moves it, however slow the machine is. Call it before opening a page. */
export async function stopClock(page: Page): Promise<void> {
  const now = Date.now()
  await page.clock.install({ time: now })
  await page.clock.pauseAt(now + 1_000)
}
