/** A server for bench/authorize.ts: streams of topics as the front door answers them, without Next. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Access } from '@/server/access/access'
import { ownAccess } from '@/server/access/own-access'
import { tokenAccess } from '@/server/access/tokens/token-access'
import { processEngine } from '@/server/engine'
import { fromNode, sendToNode } from '@/server/node/node-request'
import { watchServerRequests } from '@/server/node/server-requests'
import { readTopicStream } from '@/server/routes/topic-route'

const engine = processEngine()
const { config, slots, tokenRules } = engine
const authorize = (): object => ({ subject: 'ana', sessionKey: 's1' })
const own = { authorize, recheckMs: 60_000, revalidate: undefined }
const accesses: Record<string, Access> = {
  tokens: tokenAccess(tokenRules),
  own: ownAccess(own, config),
  confirmed: ownAccess({ ...own, revalidate: () => true }, config),
}
const access = accesses[process.argv[2] ?? '']
if (!access) throw new Error('Name tokens, own or confirmed.')

watchServerRequests({ stallMs: 60_000, trustedProxies: 0, slots, onStopped() {} })
const server = createServer((request, response) => {
  void readTopicStream(engine, fromNode(request), { access, topics: undefined }).then((answer) =>
    sendToNode(response, answer),
  )
})
server.listen(0, '127.0.0.1', 4_096, () => {
  console.log(`port ${(server.address() as AddressInfo).port}`)
})
