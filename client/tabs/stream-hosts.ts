/** All that a worker reads: a host for each kind of stream that tabs ask for. */
import { createMultiplexer } from './multiplexer'
import type { FromTab } from './shared-stream'
import { createStreamHost, type StreamHost } from './stream-host'

interface Listeners {
  onBusy: () => void
  /** No tab is left, or none has come yet. */
  onIdle: () => void
}

export interface StreamHosts {
  /** Serves the tab at the other end of `port`, as soon as it says what it wants. */
  connect: (port: MessagePort) => void
}

export function createStreamHosts({ onBusy, onIdle }: Listeners): StreamHosts {
  const lock = crypto.randomUUID()
  const isAlive = new Promise<void>((resolve) => {
    void navigator.locks.request(lock, () => {
      resolve()
      return new Promise(() => {})
    })
  })
  const multiplex = createMultiplexer()
  const hosts = new Map<string, StreamHost>()
  let tabs = 0

  function leave(key: string, host: StreamHost): void {
    tabs--
    if (!host.hasTabs()) hosts.delete(key)
    if (tabs === 0) onIdle()
  }

  return {
    connect(port) {
      if (tabs === 0) onIdle()
      port.addEventListener('message', ({ data }: MessageEvent<FromTab>) => {
        if (typeof data === 'string') return
        const key = JSON.stringify(data.stream)
        const host =
          hosts.get(key) ?? createStreamHost(data.stream, { lock, connect: multiplex(data.stream) })
        hosts.set(key, host)
        tabs++
        onBusy()
        void isAlive.then(() => host.serve(port, data)).then(() => leave(key, host))
      })
      port.start()
    },
  }
}
