/** Runs in a SharedWorker: reads for all tabs. */
import { createStreamHosts } from './stream-hosts'

/** A tab may come back soon, after a reload, for example. */
const idleMs = 10_000

let timer: ReturnType<typeof setTimeout> | undefined
const hosts = createStreamHosts({
  onBusy: () => clearTimeout(timer),
  onIdle() {
    clearTimeout(timer)
    timer = setTimeout(() => self.close(), idleMs)
  },
})

addEventListener('connect', (event) => {
  for (const port of (event as MessageEvent).ports) hosts.connect(port)
})
