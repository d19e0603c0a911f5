/**
 * A TCP proxy that makes trouble: it cuts connections after a random number of bytes, inside frames too, holds them up for seconds,
 * and passes bytes on in odd pieces. Each connection goes to its own server, or now and then to another one.
 */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Random } from './random'

export interface ChaosProxy {
  url: string
  /** From now on it only passes bytes on. */
  calmDown: () => void
  counts: { connections: number; cuts: number; pauses: number }
  close: () => Promise<void>
}

/** `targets` has the ports of all servers; `own` is the index of the one behind this proxy. */
export async function startChaosProxy(
  targets: readonly number[],
  own: number,
  random: Random,
): Promise<ChaosProxy> {
  const sockets = new Set<Socket>()
  const counts = { connections: 0, cuts: 0, pauses: 0 }
  let isCalm = false

  function bytesBeforeCut(): number {
    if (isCalm || !random.isLucky(0.9)) return Infinity
    // From a few bytes of the header to many events.
    return Math.round(10 ** (1.5 + random() * 4))
  }

  function openTo(client: Socket): void {
    counts.connections++
    const port = random.isLucky(0.8) ? targets[own] : random.pick(targets)
    const server = connect({ host: 'localhost', port: port ?? 0 })
    let left = bytesBeforeCut()
    const isChopped = random.isLucky(0.3)
    for (const socket of [client, server]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        server.destroy()
      })
    }
    client.pipe(server)

    function write(bytes: Buffer): void {
      if (client.write(bytes)) return
      server.pause()
      client.once('drain', () => server.resume())
    }
    server.on('data', (chunk: Buffer) => {
      if (left === 0) return
      if (chunk.length >= left && !isCalm) {
        const passed = chunk.subarray(0, left)
        left = 0
        counts.cuts++
        // Half-closing first lets the bytes before the cut arrive.
        client.end(passed, () => server.destroy())
        return
      }
      left -= chunk.length
      if (!isChopped || chunk.length < 2) {
        write(chunk)
      } else {
        const at = random.between(1, chunk.length - 1)
        write(chunk.subarray(0, at))
        write(chunk.subarray(at))
      }
      if (!isCalm && random.isLucky(0.001)) hold(server)
    })
  }

  function hold(server: Socket): void {
    counts.pauses++
    server.pause()
    setTimeout(() => server.resume(), random.between(500, 4_000))
  }

  const proxy = createServer(openTo)
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const { port } = proxy.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}`,
    counts,
    calmDown() {
      isCalm = true
    },
    async close() {
      proxy.close()
      for (const socket of sockets) socket.destroy()
      if (proxy.listening) await once(proxy, 'close')
    },
  }
}
