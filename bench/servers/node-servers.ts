/** The servers that are one file of Node each, in bench/peers. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BenchServer } from './bench-server'
import { startProcess } from './start-process'

const root = join(__dirname, '..', '..')

export const bareNode = nodeServer('bare-node', {
  title: `bare node:http, res.write (Node ${process.versions.node})`,
  common: true,
  replays: true,
})

export const betterSse = nodeServer('better-sse', {
  title: `better-sse ${versionOf('better-sse')}, node:http`,
  common: true,
  replays: false,
})

export const hono = nodeServer('hono', {
  title: `Hono ${versionOf('hono')} streamSSE, @hono/node-server ${versionOf('@hono/node-server')}`,
  common: false,
  replays: false,
})

function nodeServer(
  name: string,
  rest: Pick<BenchServer, 'title' | 'common' | 'replays'>,
): BenchServer {
  const file = join(root, 'bench/peers', `${name}.ts`)
  return {
    name,
    publishes: 'batches',
    greets: true,
    start: () => startProcess({ command: process.execPath, args: () => ['--import', 'tsx', file] }),
    ...rest,
  }
}

/** The installed version of a package. */
export function versionOf(name: string): string {
  const file = join(root, 'node_modules', name, 'package.json')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
