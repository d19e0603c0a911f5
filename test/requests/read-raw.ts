/** An answer as it comes over the wire, head and chunks included. */
import { connect } from 'node:net'

/** Asks for `path` on a connection of its own, and leaves once `isEnough` of what came; the text has one character for each byte. */
export function readRaw(
  url: string,
  path: string,
  isEnough: (text: string) => boolean,
): Promise<string> {
  const { hostname, port, host } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) })
    let text = ''
    socket.setEncoding('latin1')
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    socket.on('data', (chunk) => {
      text += String(chunk)
      if (!isEnough(text)) return
      socket.destroy()
      resolve(text)
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`The connection closed after:\n${text}`)))
  })
}
