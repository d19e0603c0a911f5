/** Nchan, a module of nginx that is a hub for server-sent events; one worker, as the others have one process. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findOnPath } from '../../test/programs/find-program'
import type { BenchServer } from './bench-server'
import { startProcess } from './start-process'

const nginx = process.env['NGINX_PATH'] ?? findOnPath('nginx')
const nchanModule = process.env['NCHAN_MODULE_PATH'] ?? '/usr/lib/nginx/modules/ngx_nchan_module.so'

export const nchan: BenchServer = {
  name: 'nchan',
  title: 'Nchan in nginx, one worker',
  common: false,
  missing() {
    if (nginx === undefined) return 'install nginx, or set NGINX_PATH'
    if (existsSync(nchanModule)) return undefined
    return "install Debian's libnginx-mod-nchan, or set NCHAN_MODULE_PATH"
  },
  publishes: 'single',
  replays: true,
  greets: false,
  async start() {
    const folder = mkdtempSync(join(tmpdir(), 'nchan-'))
    const file = join(folder, 'nginx.conf')
    const server = await startProcess({
      command: nginx ?? 'nginx',
      args: (port) => {
        writeFileSync(file, configuration(port, folder))
        return ['-p', folder, '-e', join(folder, 'error.log'), '-c', file]
      },
    })
    return {
      ...server,
      replayPath: (topic) => `/all/${topic}`,
      eventLoopDelayMs: () => Promise.resolve(undefined),
      async stop() {
        await server.stop()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  },
}

function configuration(port: number, folder: string): string {
  const locations = [
    { path: 'events', first: 'newest' },
    { path: 'all', first: 'oldest' },
  ].map(
    ({ path, first }) => `
    location ~ ^/${path}/(\\w+)$ {
      nchan_pubsub http eventsource;
      nchan_channel_id $1;
      nchan_message_buffer_length 100000;
      nchan_message_timeout 24h;
      nchan_subscriber_first_message ${first};
    }`,
  )
  return `
load_module ${nchanModule};
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid ${folder}/nginx.pid;
events { worker_connections 15000; }
http {
  access_log off;
  nchan_shared_memory_size 1g;
  keepalive_requests 1000000000;
  server {
    listen 127.0.0.1:${port} backlog=511;
    ${locations.join('')}
  }
}
`
}
