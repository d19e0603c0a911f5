/** For tests of tabs that share a stream: workers in the same process, behind real ports. */
import { createStreamHosts, type StreamHosts } from '@/client/tabs/stream-hosts'

/** Node.js 20 has no Web Locks. */
export class Locks {
  private readonly queues = new Map<string, Promise<unknown>>()

  async request(name: string, ...rest: [LockOptions, () => unknown] | [() => unknown]) {
    const [options, use] = rest.length === 2 ? rest : [{}, rest[0]]
    const before = this.queues.get(name)
    const used = (async () => {
      await before
      options.signal?.throwIfAborted()
      await use()
    })()
    this.queues.set(
      name,
      used.catch(() => {}),
    )
    return used
  }
}

export const workers = new Map<string, StreamHosts & { isIdle: boolean }>()

export class TestWorker extends EventTarget {
  readonly port: MessagePort

  constructor(_: URL, { name }: { name: string }) {
    super()
    const { port1, port2 } = new MessageChannel()
    this.port = port1
    workerOf(name).connect(port2)
  }
}

function workerOf(name: string): StreamHosts {
  const known = workers.get(name)
  if (known) return known
  const idleness = { isIdle: true }
  const host = createStreamHosts({
    onBusy: () => (idleness.isIdle = false),
    onIdle: () => (idleness.isIdle = true),
  })
  const worker = Object.assign(idleness, host)
  workers.set(name, worker)
  return worker
}
