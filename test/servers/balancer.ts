/** A TCP balancer in front of several servers: connections go to one server after another, skipping those that refuse. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface Balancer {
  url: string
  close(): Promise<void>
}

export async function startBalancer(targets: readonly string[]): Promise<Balancer> {
  const ports = targets.map((target) => Number(new URL(target).port))
  const sockets = new Set<Socket>()
  let turn = 0

  function keep(socket: Socket): void {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  }

  /** Tries each target once, starting with `first`. */
  function pass(client: Socket, first: number, tried = 0): void {
    const port = ports[(first + tried) % ports.length]
    if (port === undefined || tried === ports.length) {
      client.destroy()
      return
    }
    const server = connect({ host: 'localhost', port })
    keep(server)
    let isConnected = false
    server.on('connect', () => {
      isConnected = true
      client.pipe(server)
      server.pipe(client)
    })
    client.on('close', () => server.destroy())
    server.on('close', () => {
      if (isConnected) client.destroy()
      else if (!client.destroyed) pass(client, first, tried + 1)
    })
  }

  const balancer = createServer((client) => {
    keep(client)
    pass(client, turn++)
  })
  balancer.listen(0, '127.0.0.1')
  await once(balancer, 'listening')
  const { port } = balancer.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      balancer.close()
      for (const socket of sockets) socket.destroy()
      if (balancer.listening) await once(balancer, 'close')
    },
  }
}
