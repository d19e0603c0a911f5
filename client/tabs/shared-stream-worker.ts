/** Runs in a SharedWorker: reads one kind of stream for all tabs. Which one is the worker's name. */
import type { SharedStreamOptions } from './shared-stream'
import { createStreamHost } from './stream-host'

/** A tab may come back soon, after a reload, for example. */
const idleMs = 10_000

const [, options] = JSON.parse(self.name) as [number, SharedStreamOptions]
let timer: ReturnType<typeof setTimeout> | undefined
const host = createStreamHost(options, {
  onBusy: () => clearTimeout(timer),
  onIdle() {
    clearTimeout(timer)
    timer = setTimeout(() => self.close(), idleMs)
  },
})

addEventListener('connect', (event) => {
  for (const port of (event as MessageEvent).ports) host.connect(port)
})
