/** A TCP proxy that breaks connections on purpose. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface CuttingProxy {
  /** The same server, through the proxy. */
  url: string
  port: number
  /** Cuts the connection on which the server answers next, before the first byte of the answer arrives. */
  cutNextAnswer(): void
  /** How many connections it has cut. */
  cuts(): number
  close(): Promise<void>
}

/** Forwards everything to `target`, and breaks each connection after exactly `bytesBeforeCut` bytes of the answer have arrived. */
export async function startCuttingProxy(
  target: string,
  bytesBeforeCut: (connection: number) => number,
): Promise<CuttingProxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let connections = 0
  let cuts = 0
  let isNextCut = false
  const proxy = createServer((client) => {
    let left = bytesBeforeCut(connections++)
    const server = connect({ host: hostname, port: Number(port) })
    for (const socket of [client, server]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        server.destroy()
      })
    }
    client.pipe(server)
    server.on('data', (chunk: Buffer) => {
      if (left === 0) return
      if (isNextCut) left = 0
      isNextCut = false
      const passed = chunk.subarray(0, left)
      left -= passed.length
      if (left > 0) {
        client.write(passed)
        return
      }
      cuts++
      // Half-closing first lets the bytes before the cut arrive.
      client.end(passed, () => server.destroy())
    })
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const { port: ownPort } = proxy.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${ownPort}`,
    port: ownPort,
    cutNextAnswer() {
      isNextCut = true
    },
    cuts: () => cuts,
    async close() {
      proxy.close()
      for (const socket of sockets) socket.destroy()
      if (proxy.listening) await once(proxy, 'close')
    },
  }
}
