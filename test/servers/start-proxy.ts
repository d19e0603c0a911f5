/** Runs the proxies of deploy/, with only names, ports and certificates replaced. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import { findServer } from '../programs/find-server'
import { freePort } from './free-port'

export type ProxyName = 'nginx' | 'caddy'

export interface RunningProxy {
  /** Such as `https://localhost:40123`; its certificate is self-signed. */
  url: string
  /** Makes the proxy reload its configuration, as an operator would. */
  reload: () => Promise<void>
  stop: () => Promise<void>
}

interface Setting {
  file: string
  /** Texts of the file, each with its replacement for a test. */
  replace: (own: { port: number; other: number; folder: string }) => [string, string][]
  /** The arguments that run it in the foreground, and those that reload it. */
  run: (file: string) => string[]
  reload: (file: string) => string[]
}

const root = join(__dirname, '..', '..')
const startTimeoutMs = 20_000

const settings: Record<ProxyName, Setting> = {
  nginx: {
    file: 'deploy/nginx.conf',
    replace: ({ port, other, folder }) => [
      ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`],
      ['listen 80;', `listen 127.0.0.1:${other};`],
      ['/etc/nginx/tls/tls.crt', join(folder, 'tls.crt')],
      ['/etc/nginx/tls/tls.key', join(folder, 'tls.key')],
      ['/run/nginx.pid', join(folder, 'nginx.pid')],
      ['/dev/stdout', join(folder, 'access.log')],
    ],
    run: (file) => ['-c', file, '-g', 'daemon off;'],
    reload: (file) => ['-c', file, '-s', 'reload'],
  },
  caddy: {
    file: 'deploy/Caddyfile',
    replace: ({ port, other, folder }) => [
      ['{$SITE:localhost}', `localhost:${port}`],
      ['# tls /etc/caddy/tls.crt /etc/caddy/tls.key', `tls ${folder}/tls.crt ${folder}/tls.key`],
      ['grace_period 10s', `grace_period 10s\n\tadmin localhost:${other}`],
    ],
    run: (file) => ['run', '--config', file, '--adapter', 'caddyfile'],
    reload: (file) => ['reload', '--config', file, '--adapter', 'caddyfile', '--force'],
  },
}

/** Starts the proxy of deploy/ in front of two servers. */
export async function startProxy(
  name: ProxyName,
  [one, other]: readonly [string, string],
): Promise<RunningProxy> {
  const program = findServer(name)
  if (program === undefined) throw new Error(`There is no ${name} to start.`)
  const setting = settings[name]
  const folder = await mkdtemp(join(tmpdir(), `${name}-`))
  await makeCertificate(folder)
  const own = { port: await freePort(), other: await freePort(), folder }
  let text = await readFile(join(root, setting.file), 'utf8')
  for (const [from, to] of [
    ...setting.replace(own),
    ['app-1:3000', new URL(one).host],
    ['app-2:3000', new URL(other).host],
  ] as const) {
    if (!text.includes(from)) throw new Error(`${setting.file} has no ${from}`)
    text = text.replaceAll(from, to)
  }
  const file = join(folder, 'config')
  await writeFile(file, text)

  const env = { ...process.env, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder, HOME: folder }
  const proxy = spawn(program, setting.run(file), { stdio: ['ignore', 'pipe', 'pipe'], env })
  const exited = once(proxy, 'exit')
  let output = ''
  for (const stream of [proxy.stdout, proxy.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  }
  const stop = async (): Promise<void> => {
    if (proxy.exitCode === null) proxy.kill('SIGTERM')
    await exited
    await rm(folder, { recursive: true })
  }
  const url = `https://localhost:${own.port}`
  const startedAt = performance.now()
  while (!(await answers(url))) {
    if (proxy.exitCode === null && performance.now() - startedAt < startTimeoutMs) continue
    await stop()
    throw new Error(`${name} was not ready in time:\n${output}`)
  }
  return {
    url,
    async reload() {
      const reloading = spawn(program, setting.reload(file), { stdio: 'ignore', env })
      const [code] = (await once(reloading, 'exit')) as [number]
      if (code !== 0) throw new Error(`${name} could not be reloaded:\n${output}`)
    },
    stop,
  }
}

async function makeCertificate(folder: string): Promise<void> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }])
  await writeFile(join(folder, 'tls.crt'), cert)
  await writeFile(join(folder, 'tls.key'), key)
}

/** True when the proxy serves a page of the server behind it. Waits a little before it answers false. */
function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const later = (): void => void setTimeout(() => resolve(false), 50)
    const request = get(url, { rejectUnauthorized: false, agent: false }, (response) => {
      response.resume()
      if (response.statusCode === 200) resolve(true)
      else later()
    })
    request.on('error', later)
  })
}
