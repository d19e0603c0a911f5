/**
 * A proxy before a server that breaks the promise on purpose, to prove that the checker notices. It sees whole frames, and most of
 * them it passes on as they are.
 */
import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFrameParser, type Frame } from './frame-parser'

/**
 * `dropped`: an event is left out. `doubled-id`: an id names two events. `wrong-reader`: a secret event goes to everybody. With
 * sessions, `unheard`: a call of `disconnect` reaches no server.
 */
export const plantedKinds = ['dropped', 'doubled-id', 'wrong-reader', 'unheard'] as const
export type PlantedKind = (typeof plantedKinds)[number]

export interface PlantedFault {
  port: number
  close: () => void
}

/** Every so many events one is tampered with. */
const interval = 150

export async function plantFault(
  kind: Exclude<PlantedKind, 'unheard'>,
  target: number,
): Promise<PlantedFault> {
  let events = 0
  let secret: string | undefined
  let previous: string | undefined

  /** What arrives in place of `frame`. */
  function tamper(frame: Frame, path: string): string {
    const { id, type, text } = frame
    if (type !== 'message' || id === undefined) return text
    const before = previous
    previous = id
    const isEnveloped = path.includes(',')
    if (isEnveloped && frame.data.startsWith('{"topic":"secret.')) secret = text
    if (++events % interval !== 0) return text
    switch (kind) {
      case 'dropped':
        return ''
      case 'doubled-id':
        return before === undefined ? text : text.replace(id, before)
      case 'wrong-reader':
        return isEnveloped && !path.includes('secret.') ? text + (secret ?? '') : text
    }
  }

  function pass(asked: IncomingMessage, answer: ServerResponse): void {
    const { url: path = '/', method, headers } = asked
    const passed = request({ port: target, path, method, headers, agent: false }, (answered) => {
      answer.writeHead(answered.statusCode ?? 502, answered.headers)
      if (!answered.headers['content-type']?.startsWith('text/event-stream')) {
        answered.pipe(answer)
        return
      }
      const decoder = new TextDecoder()
      const feed = createFrameParser(
        (frame) => answer.write(tamper(frame, path)),
        (text) => answer.write(text),
      )
      answered.on('data', (chunk: Buffer) => feed(decoder.decode(chunk, { stream: true })))
      answered.on('end', () => answer.end())
      answered.on('error', () => answer.destroy())
    })
    passed.on('error', () => answer.destroy())
    answer.on('close', () => passed.destroy())
    asked.pipe(passed)
  }

  const proxy = createServer(pass)
  proxy.listen(0)
  await once(proxy, 'listening')
  return {
    port: (proxy.address() as AddressInfo).port,
    close() {
      proxy.close()
      proxy.closeAllConnections()
    },
  }
}
